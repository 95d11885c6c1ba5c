'use client'

import type { PendingWorkspaceChange } from '@nmg/contract'
import { useState, type ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import type { SpaceConnection } from './connection-response.ts'
import { waitingWorkspace, workspace } from './connection-texts.tsx'
import { isReconnectUseful, type ConnectionView } from './connection-view.ts'
import type { ConnectionControl } from './use-connection.ts'

export interface Permission {
  readonly canManage: boolean
  /** Names of owners and admins to ask. */
  readonly managers: readonly string[]
}

interface NextStepProps extends Permission {
  readonly control: ConnectionControl
}

/** The next step of each state. A missing state does not compile. */
const steps: Record<ConnectionView['status'], (props: NextStepProps) => ReactNode> = {
  not_connected: (props) => <ConnectStep {...props} action="Connect Notion" />,
  disconnected: (props) => <ConnectStep {...props} action="Connect Notion" />,
  reconnect_required: (props) => <ConnectStep {...props} action="Reconnect Notion" />,
  connecting: ({ control }) => (
    <>
      <Button busy>Connecting…</Button>
      <Button look="quiet" onClick={control.abandon}>
        Cancel
      </Button>
    </>
  ),
  connected: (props) => {
    const { view, refresh } = props.control
    if (view.status !== 'connected') return null
    if (view.notionTrouble !== undefined && !view.connection.degraded) {
      return (
        <Button look="secondary" onClick={() => refresh()}>
          Try again
        </Button>
      )
    }
    return isReconnectUseful(view.connection) ? <ConnectStep {...props} action="Reconnect Notion" /> : null
  },
  gateway_unreachable: ({ control }) => (
    <Button look="secondary" onClick={() => control.refresh()}>
      Try again
    </Button>
  ),
}

export function NextStep(props: NextStepProps) {
  const { view } = props.control
  if ('connection' in view && view.connection.waiting) {
    return <ConfirmStep {...props} connection={view.connection} waiting={view.connection.waiting} />
  }
  return steps[view.status](props)
}

/** Asks to accept the new workspace or keep the previous one. */
function ConfirmStep({
  control,
  canManage,
  managers,
  connection,
  waiting,
}: NextStepProps & { connection: SpaceConnection; waiting: PendingWorkspaceChange }) {
  const [decided, setDecided] = useState<'accept' | 'decline'>()
  const decide = async (decision: 'accept' | 'decline') => {
    setDecided(decision)
    await control.confirmWorkspaceChange(waiting.id, decision === 'accept')
    setDecided(undefined)
  }
  if (!canManage) return <WhomToAsk managers={managers} />
  return (
    <>
      <Button busy={decided === 'accept'} disabled={decided !== undefined} onClick={() => void decide('accept')}>
        Use {waitingWorkspace(waiting)}
      </Button>
      <Button
        look="secondary"
        busy={decided === 'decline'}
        disabled={decided !== undefined}
        onClick={() => void decide('decline')}
      >
        {connection.status === 'connected' ? `Keep ${workspace(connection)}` : 'Don’t use it'}
      </Button>
    </>
  )
}

function ConnectStep({ action, control, canManage, managers }: NextStepProps & { action: string }) {
  if (canManage) return <Button onClick={control.connect}>{action}</Button>
  return <WhomToAsk managers={managers} />
}

const WhomToAsk = ({ managers }: Pick<Permission, 'managers'>) => (
  <p className="max-w-64 text-sm text-pretty text-soft">
    {managers.length > 0 ? `Ask ${oneOf(managers)} to do this. Only` : 'Only'} owners and admins can connect Notion.
  </p>
)

const oneOf = (names: readonly string[]) => new Intl.ListFormat('en', { type: 'disjunction' }).format(names)
