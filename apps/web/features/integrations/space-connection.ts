import 'server-only'
import { AuthorizationStart, Connection, DisconnectReceipt, type WorkspaceChangeDecision } from '@nmg/contract'
import { askGateway } from '@/lib/gateway.ts'
import { userNames, type SpaceManager, type SpaceMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { Failure, failureWith } from '@/lib/failure.ts'
import type { ConnectionResponse } from './connection-response.ts'
import { viewOf, type ConnectionView } from './connection-view.ts'
import { tooManyConsentsText } from './too-many-consents.ts'

/** Time limit for rendering a page with the connection; later, polling updates it. */
const PAGE_DEADLINE_MS = 3_000

const CALLBACK_PAGE = '/integrations/notion/callback'

const path = (member: SpaceMember) => `/integrations/notion/${encodeURIComponent(member.space.id)}`

/** The space's connection to Notion. */
export async function describeConnection(
  app: App<'pool' | 'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  deadlineMs?: number,
): Promise<ConnectionResponse> {
  const connection = await askGateway(app, member, path(member), Connection, deadlineMs ? { deadlineMs } : {})
  if (!connection) return { connected: false }
  const names = await userNames(app, [connection.connectedBy, ...(connection.waiting ? [connection.waiting.by] : [])])
  const connectedByName = names.get(connection.connectedBy)
  const waitingByName = connection.waiting && names.get(connection.waiting.by)
  return {
    connected: connection.status === 'connected',
    integration: {
      ...connection,
      ...(connectedByName === undefined ? {} : { connectedByName }),
      ...(waitingByName === undefined ? {} : { waitingByName }),
    },
  }
}

/** The connection for rendering a page; failures become a state instead of an error. */
export async function connectionView(
  app: App<'pool' | 'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
): Promise<ConnectionView> {
  try {
    return viewOf(await describeConnection(app, member, PAGE_DEADLINE_MS))
  } catch (error) {
    if (error instanceof Failure) return { status: 'gateway_unreachable', detail: error.message }
    throw error
  }
}

/** Returns Notion's authorization URL. `binding` is the value of the same browser's binding cookie. */
export async function startAuthorization(
  app: App<'gatewayUrl' | 'serviceToken'>,
  manager: SpaceManager,
  binding: string,
  returnPath: string = CALLBACK_PAGE,
): Promise<AuthorizationStart> {
  const query = new URLSearchParams({
    space_id: manager.space.id,
    return_path: returnPath,
    binding,
    // Ask the gateway to hold a changed workspace until a user confirms it.
    confirm_workspace: '1',
  })
  const start = await askGateway(
    app,
    manager,
    `/integrations/notion/oauth/mcp/start?${query}`,
    AuthorizationStart,
  ).catch(sayWhenToTryAgain)
  if (!start)
    throw new Failure('gateway_misconfigured', 'The gateway can’t connect to Notion. Contact your administrator.')
  return start
}

/** Adds the time of `Retry-After` to the refusal of too many consents. */
function sayWhenToTryAgain(error: unknown): never {
  const limited = failureWith(error, ['rate_limited'])
  if (!limited?.problem) throw error
  const { code, problem, retryAfter } = limited
  const detail = tooManyConsentsText(retryAfter ?? null, new Date())
  throw new Failure(code, detail, {
    problem: { ...problem, title: 'Too many attempts to connect', detail },
    retryAfter,
  })
}

/** Accepts or declines a pending workspace change. @throws {Failure} `not_found` if none is pending. */
export async function confirmWorkspaceChange(
  app: App<'gatewayUrl' | 'serviceToken'>,
  manager: SpaceManager,
  decision: WorkspaceChangeDecision,
): Promise<void> {
  await askGateway(app, manager, `${path(manager)}/waiting`, Connection, { method: 'POST', body: decision })
}

/** Disconnects the space. Idempotent. */
export async function disconnect(
  app: App<'gatewayUrl' | 'serviceToken'>,
  manager: SpaceManager,
): Promise<DisconnectReceipt> {
  const receipt = await askGateway(app, manager, path(manager), DisconnectReceipt, { method: 'DELETE' })
  return (
    receipt ?? { spaceId: manager.space.id, status: 'disconnected', changed: false, revocation: 'nothing_to_revoke' }
  )
}
