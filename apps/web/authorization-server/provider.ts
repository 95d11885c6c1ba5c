/**
 * The OAuth protocol: oidc-provider, configured for what is offered here. Requests reach it in the form of requests.ts, what it keeps is in
 * grants.ts and clients.ts, and what it decides (clients, redirect URIs, PKCE, codes, rotation, signing) is not decided anywhere else.
 */
import { timingSafeEqual } from 'node:crypto'
import Provider, {
  errors,
  interactionPolicy,
  type Adapter,
  type AdapterPayload,
  type Configuration,
} from 'oidc-provider'
import { causeOf, log } from '../lib/log.ts'
import { digest, type StoredClient } from './clients.ts'
import { AUTH_METHODS, GRANT_TYPES } from './client-registration.ts'
import { CODE_SECONDS, REFRESH_TOKEN_SECONDS, type Grant, type Grants, type Issued } from './grants.ts'
import { UNAVAILABLE } from './http.ts'
import type { Keys } from './keys.ts'
import { isRegisteredRedirect } from './redirect-uris.ts'
import { KNOWN_SCOPES } from './scopes.ts'

export interface ProviderOptions {
  readonly issuer: string
  readonly keys: Keys
  readonly grants: Grants
  readonly findClient: (clientId: string) => Promise<StoredClient | undefined>
  /** Ends a grant because of what its client did, for good. */
  readonly endGrant: (grantId: string) => Promise<void>
  readonly accessTokenSeconds: number
  /** Where the user decides about the request with this query. */
  readonly consentUrl: (request: URLSearchParams) => string
  /** Where the browser goes with an error, instead of where the library would send it; undefined without a redirect. */
  readonly errorUrl: (error: string, request: URLSearchParams, redirect: string | undefined) => string
}

/** Where the endpoints are, below the issuer. Other routes of the library are never reached. */
export const ROUTES = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  revocation: '/oauth2/revoke',
} as const

export function oauthProvider(options: ProviderOptions): Provider {
  const { issuer, keys, grants, accessTokenSeconds, consentUrl, errorUrl } = options
  const configuration: Configuration = {
    adapter: adapters(options),
    routes: ROUTES,
    jwks: { keys: [...keys.signing] },
    scopes: [...KNOWN_SCOPES],
    responseTypes: ['code'],
    clientAuthMethods: [...AUTH_METHODS],
    clientDefaults: { grant_types: [...GRANT_TYPES], response_types: ['code'], id_token_signed_response_alg: 'EdDSA' },
    enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        // Called where a request names no endpoint of the gateway.
        defaultResource: async () => {
          throw new errors.InvalidTarget('resource must be an MCP endpoint of the gateway')
        },
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, resource) => ({
          scope: KNOWN_SCOPES.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: accessTokenSeconds,
          jwt: { sign: { alg: 'EdDSA', kid: keys.signing[0].kid } },
        }),
      },
    },
    interactions: {
      policy: [alwaysAsk],
      url: (ctx) => consentUrl(new URLSearchParams(ctx.querystring)),
    },
    async renderError(ctx, { error }) {
      ctx.redirect(errorUrl(error, new URLSearchParams(ctx.querystring), undefined))
    },
    // A former member gets no tokens, however the membership ended.
    async findAccount(_ctx, userId, token) {
      const grantId = token && 'grantId' in token ? token.grantId : undefined
      const grant = grantId === undefined ? undefined : await grants.findEntitled(grantId)
      return grant?.userId === userId ? { accountId: userId, claims: () => ({ sub: userId }) } : undefined
    },
    // As late as possible: the grant may have ended since the request was looked at.
    async extraTokenClaims(_ctx, token) {
      const grantId = 'grantId' in token ? token.grantId : undefined
      const grant = grantId === undefined ? undefined : await grants.findEntitled(grantId)
      if (!grant) throw new errors.InvalidGrant('the grant has ended')
      return { space_id: grant.spaceId, grant_id: grant.id }
    },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: CODE_SECONDS,
      RefreshToken: REFRESH_TOKEN_SECONDS,
      Grant: REFRESH_TOKEN_SECONDS,
      Interaction: CODE_SECONDS,
      Session: CODE_SECONDS,
      IdToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
    },
  }
  const provider = new Provider(issuer, configuration)
  provider.proxy = true
  provider.use(async (ctx, next) => {
    await next()
    // No browser has a session here, so its cookies would be of no use.
    ctx.remove('set-cookie')
    // A response without content, as to a revocation, has no type.
    if (ctx.body === '') ctx.remove('content-type')
    if (ctx.status >= 500) {
      ctx.status = UNAVAILABLE.status
      ctx.set(UNAVAILABLE.headers)
      ctx.body = UNAVAILABLE.body
    }
    const location = ctx.response.get('location')
    const error = errorForClient(location, issuer)
    if (error !== undefined) ctx.redirect(errorUrl(error, new URLSearchParams(ctx.querystring), location))
  })
  provider.on('server_error', (_ctx, error) => log.error('oauth.server_error', causeOf(error)))
  judgeClients(provider)
  deriveSuccessors(provider, keys)
  return provider
}

/**
 * The error that a redirect to a client carries, in its query or, for response types that are not offered, in its fragment. Undefined for
 * redirects to pages of this app.
 */
export function errorForClient(location: string, issuer: string): string | undefined {
  if (!URL.canParse(location)) return undefined
  const { origin, searchParams, hash } = new URL(location)
  if (origin === new URL(issuer).origin) return undefined
  return searchParams.get('error') ?? new URLSearchParams(hash.slice(1)).get('error') ?? undefined
}

/** There are no sessions here, and no consent is remembered: each request is decided on the consent page. */
const alwaysAsk = new interactionPolicy.Prompt(
  { name: 'consent', requestable: true },
  new interactionPolicy.Check('undecided', 'The user has to decide.', 'consent_required', () => true),
)

/** One rule for redirect URIs, for registrations and requests; and secrets that are stored as digests. */
function judgeClients({ Client }: Provider): void {
  Client.prototype.redirectUriAllowed = function (uri) {
    return isRegisteredRedirect(this.redirectUris ?? [], uri)
  }
  Client.prototype.compareClientSecret = function (secret) {
    const [presented, stored] = [Buffer.from(digest(secret)), Buffer.from(this.clientSecret ?? '')]
    return presented.length === stored.length && timingSafeEqual(presented, stored)
  }
}

/**
 * A refresh token that replaces another is derived from it, so that all processes of a client that refresh at once, and one that lost a
 * response, get the same one. The library has no option for this; a test watches that it still works.
 */
function deriveSuccessors({ RefreshToken }: Provider, keys: Keys): void {
  const prototype = RefreshToken.prototype as unknown as { generateTokenId(): string }
  const random = prototype.generateTokenId
  prototype.generateTokenId = function () {
    const predecessor = replacedToken()
    return predecessor === undefined ? random.call(this) : keys.successorOf(predecessor)
  }
}

/** The refresh token that the request under way replaces. */
const replacedToken = (): string | undefined => Provider.ctx?.oidc.entities.RotatedRefreshToken?.jti

/** What the library keeps, in this server's tables. Requests, sessions and access tokens are not stored. */
function adapters({ grants, findClient, endGrant }: ProviderOptions): (name: string) => Adapter {
  const stored: Record<string, Partial<Adapter>> = {
    Client: {
      async find(clientId) {
        const client = await findClient(clientId)
        return client && !client.isDisabled ? clientPayload(client) : undefined
      },
    },
    Grant: {
      async find(id) {
        const grant = await grants.find(id)
        return grant && grantPayload(grant)
      },
      destroy: endGrant,
    },
    AuthorizationCode: {
      async find(code) {
        const issued = await grants.presentCode(code)
        if (!issued) return undefined
        const { redirectUri, codeChallenge } = issued
        return { ...issuedPayload(code, issued), redirectUri, codeChallenge, codeChallengeMethod: 'S256' }
      },
    },
    RefreshToken: {
      async upsert(token, { grantId }) {
        const isStored = await grants.addRefreshToken(token, grantId ?? '', replacedToken())
        if (!isStored) throw new errors.InvalidGrant('the grant has ended')
      },
      async find(token) {
        const issued = await grants.findRefreshToken(token)
        return issued && { ...issuedPayload(token, issued), gty: 'authorization_code' }
      },
      async consume(token) {
        if (!(await grants.useRefreshToken(token))) throw new errors.InvalidGrant('refresh token already used')
      },
    },
  }
  return (name) => ({ ...notStored, ...stored[name] })
}

const notStored: Adapter = {
  upsert: async () => undefined,
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  // A grant's tokens go with it.
  revokeByGrantId: async () => undefined,
}

const clientPayload = ({ clientId, name, redirectUris, authMethod, secretDigest }: StoredClient): AdapterPayload => ({
  client_id: clientId,
  client_name: name,
  redirect_uris: [...redirectUris],
  // What the library demands of redirect URIs depends on it; they were judged when the client registered.
  application_type: redirectUris.every((uri) => /^https?:/.test(uri)) ? 'web' : 'native',
  token_endpoint_auth_method: authMethod,
  ...(secretDigest !== undefined && { client_secret: secretDigest }),
})

const grantPayload = ({ id, userId, clientId, resource, scope }: Grant): AdapterPayload => ({
  jti: id,
  kind: 'Grant',
  accountId: userId,
  clientId,
  resources: { [resource]: scope },
})

const issuedPayload = (jti: string, { grant, isReplayed, secondsLeft }: Issued): AdapterPayload => ({
  jti,
  accountId: grant.userId,
  clientId: grant.clientId,
  grantId: grant.id,
  scope: grant.scope,
  resource: grant.resource,
  exp: Math.floor(Date.now() / 1000) + secondsLeft,
  expiresWithSession: false,
  ...(isReplayed && { consumed: true }),
})
