import type {
  Connection as ConnectionView,
  Degraded as DegradedView,
  History,
  HistoryEvent,
  Hold,
  PendingWorkspaceChange,
} from '@nmg/contract'
import { degradedAgain, remainingMs, type Degraded } from './degraded.ts'
import { noticeOf, reconnectBy, type ConnectionEvent } from './connection.ts'
import { Failure } from '../platform/failure.ts'
import { MAX_PAUSE_MS } from './refresh-schedule.ts'
import type { ConnectionStore, StoredConnection, PendingAuthorization } from './connection-store.ts'
import { openCredential, type OpenDependencies } from './open-credential.ts'

export interface DescribeConnectionDependencies extends OpenDependencies {
  readonly store: ConnectionStore
  /** Why no token is refreshed at present; undefined if tokens are. */
  readonly hold: () => Hold | undefined
}

/** The public view of the space's connection, without secrets, not even sealed ones. @throws {Failure} `not_connected` when it never was connected. */
export async function describeConnection(
  deps: DescribeConnectionDependencies,
  spaceId: string,
): Promise<ConnectionView> {
  const { clock } = deps
  const stored = await deps.store.read(spaceId)
  const { stream: processId, connection, workspace, pending, stepUpScope, unrevokedConsents } = stored
  if (connection.status === 'absent') throw neverConnected()
  const { grant, status } = connection
  const endsAt = connection.status === 'connected' ? reconnectBy(connection, clock()) : null
  const notice = noticeOf(connection, clock())
  const lastRefreshedAt = 'lastRefreshedAt' in connection ? connection.lastRefreshedAt : null
  const degraded = degradedNow(deps, stored)
  const hold = deps.hold()
  const expiresAt = connection.status === 'connected' ? connection.credential.expiresAt : null
  return {
    spaceId,
    processId,
    status,
    connectedAt: grant.authorizedAt.toISOString(),
    connectedBy: grant.authorizedBy,
    ...(workspace?.id === undefined ? {} : { workspaceId: workspace.id }),
    ...(workspace?.name === undefined ? {} : { workspaceName: workspace.name }),
    ...(workspace?.botId === undefined ? {} : { botId: workspace.botId }),
    ...(expiresAt === null ? {} : { tokenExpiresAt: expiresAt.toISOString() }),
    ...(lastRefreshedAt === null ? {} : { lastRefreshedAt: lastRefreshedAt.toISOString() }),
    ...(degraded === null ? {} : { degraded: describeDegraded(degraded, clock()) }),
    ...(hold && status === 'connected' ? { hold } : {}),
    ...(unrevokedConsents > 0 ? { unrevokedConsents } : {}),
    ...(endsAt === null ? {} : { reconnectBy: endsAt.toISOString() }),
    ...(notice === undefined ? {} : { notice }),
    ...(connection.status === 'connected' && stepUpScope ? { consentRequired: true } : {}),
    ...(connection.status === 'reconnect_required' ? { reason: connection.reason } : {}),
    hasMcpToken: status === 'connected',
    ...(pending && clock() < pending.waitsUntil ? { waiting: describePending(pending) } : {}),
  }
}

/** The stored mark, or that of an unreadable credential which no call has detected yet. */
function degradedNow(deps: OpenDependencies, stored: StoredConnection): Degraded | null {
  if (stored.connection.status !== 'connected') return null
  try {
    openCredential(deps, stored)
    return stored.degraded
  } catch {
    const reason = 'credential_unreadable'
    if (stored.degraded?.reason === reason) return stored.degraded
    return degradedAgain(stored.degraded, reason, reason, deps.clock(), MAX_PAUSE_MS)
  }
}

const describeDegraded = (degraded: Degraded, now: Date): DegradedView => ({
  since: degraded.since.toISOString(),
  reason: degraded.reason,
  lastError: degraded.lastError,
  nextAttemptAt: new Date(now.getTime() + remainingMs(degraded, now)).toISOString(),
})

function describePending({ id, by, at, waitsUntil, workspace }: PendingAuthorization): PendingWorkspaceChange {
  return {
    id,
    ...(workspace.id === undefined ? {} : { workspaceId: workspace.id }),
    ...(workspace.name === undefined ? {} : { workspaceName: workspace.name }),
    by,
    at: at.toISOString(),
    waitsUntil: waitsUntil.toISOString(),
  }
}

/** A page of the connection's events, newest first. @throws {Failure} `not_connected` when there are none. */
export async function connectionHistory(
  store: ConnectionStore,
  spaceId: string,
  before: number | undefined,
  limit: number,
): Promise<History> {
  const { stream: processId, version } = await store.read(spaceId)
  if (version === 0) throw neverConnected()
  const entries = await store.history(spaceId, before, limit)
  const oldest = entries.at(-1)?.version
  return {
    spaceId,
    processId,
    events: entries.map(({ version: at, event }) => historyEvent(at, event)),
    ...(oldest !== undefined && oldest > 1 ? { nextBefore: oldest } : {}),
  }
}

function historyEvent(version: number, event: ConnectionEvent): HistoryEvent {
  const entry = { version, type: event.type, occurredAt: event.at.toISOString() }
  switch (event.type) {
    case 'NotionIntegrationAuthorized':
      return {
        ...entry,
        by: event.by,
        ...(event.confirmedBy === undefined ? {} : { confirmedBy: event.confirmedBy }),
        ...expiry(event.credential.expiresAt),
      }
    case 'NotionIntegrationTokenRefreshed':
      return { ...entry, ...expiry(event.credential.expiresAt) }
    case 'NotionIntegrationAuthorizationFailed':
      return { ...entry, reason: event.reason, error: event.error }
    case 'NotionIntegrationDisconnected':
      return { ...entry, by: event.by }
  }
}

const expiry = (expiresAt: Date | null) => (expiresAt === null ? {} : { tokenExpiresAt: expiresAt.toISOString() })

const neverConnected = () =>
  new Failure('not_connected', 'No Notion integration connected for this space. Connect Notion first.')
