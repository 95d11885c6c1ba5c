import 'server-only'
import { Connection, type Scope } from '@nmg/contract'
import { askGateway } from '@/lib/gateway.ts'
import { memberIn, type User, type SignedIn, type SpaceMember } from '@/lib/membership.ts'
import { documentHost } from '@/authorization-server/client-document.ts'
import { isRegisteredRedirect, redirectTarget } from '@/authorization-server/redirect-uris.ts'
import { resourceOf } from '@/authorization-server/resources.ts'
import { notionScopes } from '@/authorization-server/scopes.ts'
import type { App } from '@/lib/runtime.ts'

/** What a user is asked on the consent page. */
export interface ConsentQuestion {
  /** The query of the page, signed by the authorization server: it goes back with the answer. */
  readonly request: string
  /** As the client calls itself: nobody vouches for it. */
  readonly clientName: string
  /** The host that describes the client, for one that did not register: that much of it is proven. */
  readonly host: string | undefined
  readonly target: ReturnType<typeof redirectTarget>
  readonly user: User
  /** Those to choose among; empty when the user belongs to none that the client could use. */
  readonly spaces: readonly AskedSpace[]
  /** The client's address names a space that the user does not belong to, or that does not exist. */
  readonly isForeignSpace: boolean
  readonly scopes: readonly Scope[]
}

export interface AskedSpace {
  readonly id: string
  readonly name: string
  /** Whether a client could do anything there now; undefined when the gateway does not say. */
  readonly isConnected: boolean | undefined
}

/** How long the page waits for the gateway before it asks without knowing. */
const GATEWAY_DEADLINE_MS = 2_000

/** Undefined when there is nothing to ask: the request is incomplete, too old, or of a client that is gone. */
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
  // Whether the request was signed here is checked with the decision.
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
