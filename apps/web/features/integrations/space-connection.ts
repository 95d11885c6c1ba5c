import 'server-only'
import { AuthorizationStart, Connection, DisconnectReceipt, type WorkspaceChangeDecision } from '@nmg/contract'
import { askGateway } from '@/lib/gateway.ts'
import { userNames, type SpaceManager, type SpaceMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { Failure, failureWith } from '@/lib/failure.ts'
import type { ConnectionResponse } from './connection-response.ts'
import { viewOf, type ConnectionView } from './connection-view.ts'
import { tooManyConsentsText } from './too-many-consents.ts'

/** How long a page waits before it is shown without the connection; its polling finds out later. */
const PAGE_DEADLINE_MS = 3_000

const CALLBACK_PAGE = '/integrations/notion/callback'

const path = (member: SpaceMember) => `/integrations/notion/${encodeURIComponent(member.space.id)}`

/** The space's connection with Notion. */
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

/** The same for a page, which is shown in any case. */
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

/** Where the user's browser has to go to allow the access. `binding` is what the same browser holds as a cookie. */
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
    // Another workspace than before is not used until somebody has said that it is meant.
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

/** Too many consents are refused until a moment that only the header names. */
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

/** Goes on with the workspace that a new consent reached, or lets go of it. @throws {Failure} `not_found` when nothing waits any more. */
export async function confirmWorkspaceChange(
  app: App<'gatewayUrl' | 'serviceToken'>,
  manager: SpaceManager,
  decision: WorkspaceChangeDecision,
): Promise<void> {
  await askGateway(app, manager, `${path(manager)}/waiting`, Connection, { method: 'POST', body: decision })
}

/** Ends the connection; it may be ended twice. */
export async function disconnect(
  app: App<'gatewayUrl' | 'serviceToken'>,
  manager: SpaceManager,
): Promise<DisconnectReceipt> {
  const receipt = await askGateway(app, manager, path(manager), DisconnectReceipt, { method: 'DELETE' })
  return (
    receipt ?? { spaceId: manager.space.id, status: 'disconnected', changed: false, revocation: 'nothing_to_revoke' }
  )
}
