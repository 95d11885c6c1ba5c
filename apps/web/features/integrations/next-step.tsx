'use client'

import type { ReactNode } from 'react'
import { Button } from '../../components/ui/button.tsx'
import type { ConnectionView } from './connection-view.ts'
import type { ConnectionControl } from './use-connection.ts'

export interface Permission {
  readonly canManage: boolean
  /** Whom to ask. */
  readonly managers: readonly string[]
}

interface NextStepProps extends Permission {
  readonly control: ConnectionControl
}

/** The one next step of each state. A new state does not compile until it is here. */
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
    if (view.notionTrouble !== undefined) {
      return (
        <Button look="secondary" onClick={() => refresh()}>
          Try again
        </Button>
      )
    }
    return view.connection.notice ? <ConnectStep {...props} action="Reconnect Notion" /> : null
  },
  gateway_unreachable: ({ control }) => (
    <Button look="secondary" onClick={() => control.refresh()}>
      Try again
    </Button>
  ),
}

export const NextStep = (props: NextStepProps) => steps[props.control.view.status](props)

function ConnectStep({ action, control, canManage, managers }: NextStepProps & { action: string }) {
  if (canManage) return <Button onClick={control.connect}>{action}</Button>
  return (
    <p className="max-w-64 text-sm text-pretty text-soft">
      {managers.length > 0 ? `Ask ${oneOf(managers)} to do this: ` : ''}only owners and admins of the space connect it.
    </p>
  )
}

const oneOf = (names: readonly string[]) => new Intl.ListFormat('en', { type: 'disjunction' }).format(names)
