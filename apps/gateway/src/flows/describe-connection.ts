import type { Connection as ConnectionView, History, HistoryEvent, WaitingConsent as WaitingView } from '@nmg/contract'
import { noticeOf, reconnectBy, type ConnectionEvent } from '../domain/connection.ts'
import { Failure } from '../failure.ts'
import type { Clock, ConnectionStore, WaitingConsent } from '../ports.ts'

/** The space's connection as the outside sees it: no secret, sealed or not. @throws {Failure} `not_connected` when it never was. */
export async function describeConnection(
  store: ConnectionStore,
  clock: Clock,
  spaceId: string,
): Promise<ConnectionView> {
  const { stream: processId, connection, workspace, waiting, wantedScope } = await store.read(spaceId)
  if (connection.status === 'absent') throw neverConnected()
  const { grant, status } = connection
  const endsAt = connection.status === 'connected' ? reconnectBy(connection) : null
  const notice = noticeOf(connection, clock())
  const lastRefreshedAt = 'lastRefreshedAt' in connection ? connection.lastRefreshedAt : null
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
    ...(endsAt === null ? {} : { reconnectBy: endsAt.toISOString() }),
    ...(notice === undefined ? {} : { notice }),
    ...(connection.status === 'connected' && wantedScope ? { consentRequired: true } : {}),
    ...(connection.status === 'reconnect_required' ? { reason: connection.reason } : {}),
    hasMcpToken: status === 'connected',
    ...(waiting && clock() < waiting.waitsUntil ? { waiting: describeWaiting(waiting) } : {}),
  }
}

function describeWaiting({ id, by, at, waitsUntil, workspace }: WaitingConsent): WaitingView {
  return {
    id,
    ...(workspace.id === undefined ? {} : { workspaceId: workspace.id }),
    ...(workspace.name === undefined ? {} : { workspaceName: workspace.name }),
    by,
    at: at.toISOString(),
    waitsUntil: waitsUntil.toISOString(),
  }
}

/** What happened to the connection, newest first. @throws {Failure} `not_connected` when nothing ever did. */
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
