import type { Degraded, PendingWorkspaceChange } from '@nmg/contract'
import type { ReactNode } from 'react'
import type { Tone } from '@/components/ui/badge.tsx'
import { Time } from '@/components/ui/time.tsx'
import type { SpaceConnection } from './connection-response.ts'
import { reconnectReasons, type ConnectionView } from './connection-view.ts'
import { degradedTexts } from './degraded.ts'

export interface ConnectionText {
  readonly tone: Tone
  readonly label: string
  /** One or two sentences about the state. */
  readonly summary: ReactNode
}

type ViewOf<Status> = Extract<ConnectionView, { status: Status }>

/** Text of each state. A missing state does not compile. */
const texts: { [Status in ConnectionView['status']]: (view: ViewOf<Status>) => ConnectionText } = {
  not_connected: () => ({
    tone: 'neutral',
    label: 'Not connected',
    summary: 'Connect a Notion workspace once, and everyone in this space can search it and work in it.',
  }),
  connecting: () => ({
    tone: 'info',
    label: 'Connecting',
    summary: 'Taking you to Notion. Choose a workspace and allow access, and you’ll return here automatically.',
  }),
  connected: ({ connection, notionTrouble }) => {
    // States that need an action take precedence over transient trouble.
    if (connection.degraded) {
      return { tone: 'warning', label: 'Degraded', summary: <DegradedSummary degraded={connection.degraded} /> }
    }
    if (notionTrouble !== undefined) {
      return {
        tone: 'danger',
        label: 'Notion unreachable',
        summary: `${notionTrouble} The connection to ${workspace(connection)} is kept, and the next call tries again.`,
      }
    }
    if (connection.hold !== undefined) {
      return {
        tone: 'warning',
        label: 'Renewal paused',
        summary: `${workspace(connection)} is connected, but the server’s data was restored or copied, so renewal is paused until your administrator confirms it. Calls work until the current access token expires.`,
      }
    }
    if (connection.consentRequired) {
      return {
        tone: 'warning',
        label: 'More permissions needed',
        summary: `${workspace(connection)} is connected, but a call needs permissions that weren’t granted yet. Reconnect to grant them.`,
      }
    }
    return {
      tone: connection.notice?.kind === 'reconnect_now' ? 'warning' : 'success',
      label: 'MCP connected',
      summary: (
        <>
          {workspace(connection)}, connected by {userOf(connection)} on <Time at={connection.connectedAt} />.
          {connection.notice && ` Access ends ${inDays(connection.notice.days)}. Reconnect to renew it.`}
        </>
      ),
    }
  },
  reconnect_required: ({ reason }) => ({
    tone: 'warning',
    label: 'Reconnect required',
    summary: reconnectReasons[reason],
  }),
  disconnected: ({ connection }) => ({
    tone: 'neutral',
    label: 'Disconnected',
    summary: `${workspace(connection)} was disconnected from this space. Nothing was deleted in Notion, and you can connect again at any time.`,
  }),
  gateway_unreachable: ({ detail }) => ({ tone: 'danger', label: 'Gateway unreachable', summary: detail }),
}

export function textOf(view: ConnectionView): ConnectionText {
  if ('connection' in view && view.connection.waiting) return waitingText(view.connection, view.connection.waiting)
  // The map's type guarantees the matching function; TypeScript cannot infer it from the index.
  const text = texts[view.status] as (view: ConnectionView) => ConnectionText
  return text(view)
}

function DegradedSummary({ degraded: { reason, since, lastError, nextAttemptAt } }: { degraded: Degraded }) {
  const { what, remedy } = degradedTexts[reason]
  return (
    <>
      {what} Since <Time at={since} />, last error: {lastError}. Next attempt: <Time at={nextAttemptAt} />. {remedy}
    </>
  )
}

/** A pending workspace change takes precedence over every other state. */
const waitingText = (connection: SpaceConnection, waiting: PendingWorkspaceChange): ConnectionText => ({
  tone: 'warning',
  label: 'Another workspace',
  summary: (
    <>
      {connection.waitingByName ?? 'Someone'} connected {waitingWorkspace(waiting)}, but this space used{' '}
      {workspace(connection)} before. The new workspace isn’t used until an owner or admin confirms the change.
      {connection.degraded && ` Until then: ${degradedTexts[connection.degraded.reason].what}`}
    </>
  ),
})

export const waitingWorkspace = ({ workspaceName }: PendingWorkspaceChange) => workspaceName ?? 'an unnamed workspace'

const inDays = (days: number) => new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(days, 'day')

export const workspace = (connection: SpaceConnection) => connection.workspaceName ?? 'A Notion workspace'

export const userOf = (connection: SpaceConnection) => connection.connectedByName ?? 'a former user'
