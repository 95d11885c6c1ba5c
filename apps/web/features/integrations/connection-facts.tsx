import type { ReactNode } from 'react'
import { Notice } from '@/components/ui/notice.tsx'
import { Time } from '@/components/ui/time.tsx'
import type { SpaceConnection } from './connection-response.ts'
import { userOf, workspace } from './connection-texts.tsx'
import type { ConnectionView } from './connection-view.ts'
import { earlierConsentsText } from './earlier-consents.ts'

/** Details of each state, in addition to its summary. */
export function ConnectionFacts({ view }: { view: ConnectionView }) {
  switch (view.status) {
    case 'connected':
      return <ConnectedFacts connection={view.connection} />
    case 'reconnect_required':
      return (
        <FactList>
          <Fact name="Workspace">{workspace(view.connection)}</Fact>
          <Fact name="Connected by">{userOf(view.connection)}</Fact>
          <Fact name="Since">
            <Time at={view.connection.connectedAt} />
          </Fact>
        </FactList>
      )
    case 'not_connected':
    case 'disconnected':
      return (
        <ol className="list-decimal space-y-1.5 pl-5 text-sm text-pretty text-soft marker:text-faint">
          <li>Notion asks which workspace to connect and what to allow.</li>
          <li>The gateway stores the access encrypted and renews it before it expires.</li>
          <li>
            Members of this space use it without seeing a password or token. They can see what you can see in Notion.
          </li>
        </ol>
      )
    case 'connecting':
    case 'gateway_unreachable':
      return null
  }
}

/** Consents that this space no longer uses and that may still be valid at Notion. */
export function EarlierConsents({ view }: { view: ConnectionView }) {
  const count = 'connection' in view ? view.connection.unrevokedConsents : undefined
  return count === undefined ? null : <Notice tone="info">{earlierConsentsText(count)}</Notice>
}

function ConnectedFacts({ connection }: { connection: SpaceConnection }) {
  const { connectedAt, lastRefreshedAt, tokenExpiresAt, reconnectBy, degraded } = connection
  return (
    <FactList>
      <Fact name="Workspace">{workspace(connection)}</Fact>
      <Fact name="Connected by">{userOf(connection)}</Fact>
      <Fact name="Since">
        <Time at={connectedAt} />
      </Fact>
      {lastRefreshedAt && (
        <Fact name="Last renewed">
          <Time at={lastRefreshedAt} />
        </Fact>
      )}
      {tokenExpiresAt && degraded && (
        <Fact name="Access token expires">
          <Time at={tokenExpiresAt} />
        </Fact>
      )}
      {tokenExpiresAt && !degraded && (
        <Fact name="Next renewal">
          automatically, before <Time at={tokenExpiresAt} />
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
