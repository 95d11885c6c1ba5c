import type { ReactNode } from 'react'
import { Time } from '../../components/ui/time.tsx'
import type { SpaceConnection } from './connection-answer.ts'
import { personOf, workspace } from './connection-texts.tsx'
import type { ConnectionView } from './connection-view.ts'

/** What there is to know about each state, besides what its text says. */
export function ConnectionFacts({ view }: { view: ConnectionView }) {
  switch (view.status) {
    case 'connected':
      return <ConnectedFacts connection={view.connection} />
    case 'reconnect_required':
      return (
        <FactList>
          <Fact name="Workspace">{workspace(view.connection)}</Fact>
          <Fact name="Connected by">{personOf(view.connection)}</Fact>
          <Fact name="Since">
            <Time at={view.connection.connectedAt} />
          </Fact>
        </FactList>
      )
    case 'not_connected':
    case 'disconnected':
      return (
        <ol className="list-decimal space-y-1.5 pl-5 text-sm text-pretty text-soft marker:text-faint">
          <li>Notion asks which workspace to connect, and what you allow.</li>
          <li>The permission is kept encrypted by the gateway and renewed before it runs out.</li>
          <li>
            Members of this space use it without ever seeing a password or token. What they can see in Notion is what
            you can see.
          </li>
        </ol>
      )
    case 'connecting':
    case 'gateway_unreachable':
      return null
  }
}

function ConnectedFacts({ connection }: { connection: SpaceConnection }) {
  const { connectedAt, lastRefreshedAt, tokenExpiresAt, reconnectBy } = connection
  return (
    <FactList>
      <Fact name="Workspace">{workspace(connection)}</Fact>
      <Fact name="Connected by">{personOf(connection)}</Fact>
      <Fact name="Since">
        <Time at={connectedAt} />
      </Fact>
      {lastRefreshedAt && (
        <Fact name="Last renewed">
          <Time at={lastRefreshedAt} />
        </Fact>
      )}
      {tokenExpiresAt && (
        <Fact name="Next renewal">
          by itself, before <Time at={tokenExpiresAt} />
        </Fact>
      )}
      {reconnectBy && (
        <Fact name="Reconnect by">
          <Time at={reconnectBy} />
        </Fact>
      )}
    </FactList>
  )
}

const FactList = ({ children }: { children: ReactNode }) => (
  <dl className="divide-y divide-line rounded-xl border border-line text-sm">{children}</dl>
)

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div className="flex justify-between gap-4 px-3.5 py-2.5">
    <dt className="shrink-0 text-soft">{name}</dt>
    <dd className="min-w-0 text-right font-medium break-words">{children}</dd>
  </div>
)
