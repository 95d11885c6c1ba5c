import 'server-only'
import { Connection, type Scope } from '@nmg/contract'
import { askGateway } from '@/lib/gateway.ts'
import { memberIn, type User, type SignedIn, type SpaceMember } from '@/lib/membership.ts'
import { documentHost } from '@/authorization-server/client-document.ts'
import { isRegisteredRedirect, redirectTarget } from '@/authorization-server/redirect-uris.ts'
import { resourceOf } from '@/authorization-server/resources.ts'
import { notionScopes } from '@/authorization-server/scopes.ts'
import type { App } from '@/lib/runtime.ts'

/** Data of the consent page. */
export interface ConsentQuestion {
  /** The page's signed query, returned with the decision. */
  readonly request: string
  /** Self-chosen, unverified name. */
  readonly clientName: string
  /** Verified host of the client's metadata document; undefined for a registered client. */
  readonly host: string | undefined
  readonly target: ReturnType<typeof redirectTarget>
  readonly user: User
  /** Spaces to choose from; empty if the user is a member of none that the client requests. */
  readonly spaces: readonly AskedSpace[]
  /** True if the requested space does not exist or the user is not a member of it. */
  readonly isForeignSpace: boolean
  readonly scopes: readonly Scope[]
}

export interface AskedSpace {
  readonly id: string
  readonly name: string
  /** True if the space is connected to Notion; undefined if the gateway does not respond. */
  readonly isConnected: boolean | undefined
}

/** Time limit for the gateway before the page renders without the connection state. */
const GATEWAY_DEADLINE_MS = 2_000

/** Undefined if the request is incomplete, expired or of an unknown client. */
export async function consentQuestion(
  app: App<'gatewayUrl' | 'serviceToken' | 'authorizationServer' | 'gatewayPublicUrl'>,
  query: URLSearchParams,
  found: SignedIn,
): Promise<ConsentQuestion | undefined> {
  const { authorizationServer, gatewayPublicUrl } = app
  const redirectUri = query.get('redirect_uri') ?? ''
  const resource = resourceOf(gatewayPublicUrl, query.get('resource') ?? '')
  const clientId = query.get('client_id') ?? ''
  const client = await authorizationServer.client(clientId)
  // The decision endpoint verifies the signature.
  const isCurrent = Number(query.get('exp')) * 1000 > Date.now()
  if (!client || client.isDisabled || !resource || !isCurrent) return undefined
  if (!isRegisteredRedirect(client.redirectUris, redirectUri)) return undefined
  const { user, spaces } = found
  const fitting = resource.spaceId === undefined ? spaces : spaces.filter(({ id }) => id === resource.spaceId)
  return {
    request: query.toString(),
    clientName: client.name,
    host: documentHost(clientId),
    target: redirectTarget(redirectUri),
    user,
    spaces: await Promise.all(
      fitting.map(async ({ id, name }) => ({ id, name, isConnected: await isConnected(app, memberIn(found, id)) })),
    ),
    isForeignSpace: resource.spaceId !== undefined && fitting.length === 0,
    scopes: notionScopes(query.get('scope')),
  }
}

async function isConnected(
  app: App<'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember | undefined,
): Promise<boolean | undefined> {
  if (!member) return undefined
  const path = `/integrations/notion/${encodeURIComponent(member.space.id)}`
  return askGateway(app, member, path, Connection, { deadlineMs: GATEWAY_DEADLINE_MS }).then(
    (connection) => connection?.status === 'connected',
    () => undefined,
  )
}
