'use client'

import { useState, type ReactNode } from 'react'
import { Badge } from '../../components/ui/badge.tsx'
import { Button } from '../../components/ui/button.tsx'
import { Dialog } from '../../components/ui/dialog.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { Time } from '../../components/ui/time.tsx'
import { personOf, textOf, workspace } from './connection-texts.tsx'
import type { SpaceConnection } from './connection-answer.ts'
import type { ConnectionView } from './connection-view.ts'
import { NextStep, type Permission } from './next-step.tsx'
import type { ConnectionControl } from './use-connection.ts'

/** Everything about the space's connection. It shows one state at a time, and changes by itself when the state does. */
export function IntegrationDialog({
  open,
  onClose,
  control,
  permission,
}: {
  open: boolean
  onClose: () => void
  control: ConnectionControl
  permission: Permission
}) {
  const { view, notice } = control
  const { tone, label, summary } = textOf(view)
  return (
    <Dialog open={open} onClose={onClose} title="Notion">
      <div className="space-y-5">
        <div>
          <Badge tone={tone} dot>
            <span role="status">{label}</span>
          </Badge>
          {hasStory(view) && <p className="mt-2.5 text-sm text-pretty text-soft">{summary}</p>}
        </div>
        <Facts view={view} />
        {notice && <Notice tone="warning">{notice}</Notice>}
        <div className="flex flex-wrap gap-2">
          <NextStep control={control} {...permission} />
          {view.status === 'connected' && permission.canManage && (
            <Disconnect control={control} connection={view.connection} />
          )}
        </div>
      </div>
    </Dialog>
  )
}

/** A connection that is well is told by its facts alone. */
const hasStory = (view: ConnectionView) => view.status !== 'connected' || view.connection.notice !== undefined

/** What there is to know about each state, besides what its text says. */
function Facts({ view }: { view: ConnectionView }) {
  switch (view.status) {
    case 'connected':
      return <ConnectionFacts connection={view.connection} />
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
    case 'unreachable':
      return null
  }
}

function ConnectionFacts({ connection }: { connection: SpaceConnection }) {
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

function Disconnect({ control, connection }: { control: ConnectionControl; connection: SpaceConnection }) {
  const [step, setStep] = useState<'offered' | 'asked' | 'running'>('offered')
  if (step === 'offered') {
    return (
      <Button look="secondary" className="text-danger" onClick={() => setStep('asked')}>
        Disconnect…
      </Button>
    )
  }
  return (
    <div role="group" aria-labelledby="disconnect-question" className="w-full rounded-xl bg-danger-soft p-4">
      <p id="disconnect-question" className="text-sm font-semibold text-danger">
        Disconnect {workspace(connection)}?
      </p>
      <p className="mt-1 text-sm text-pretty text-danger">
        Everybody in this space, and every assistant that works through it, loses access to Notion at once. Pages in
        Notion stay as they are.
      </p>
      <div className="mt-3.5 flex flex-wrap gap-2">
        <Button
          look="danger"
          busy={step === 'running'}
          onClick={async () => {
            setStep('running')
            await control.disconnect()
            setStep('offered')
          }}
        >
          Disconnect
        </Button>
        <Button look="secondary" autoFocus disabled={step === 'running'} onClick={() => setStep('offered')}>
          Keep connected
        </Button>
      </div>
    </div>
  )
}
