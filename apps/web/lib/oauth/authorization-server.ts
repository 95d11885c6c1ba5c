import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { oauthProvider } from '@better-auth/oauth-provider'
import type { BetterAuthPlugin } from 'better-auth'
import { APIError, createAuthEndpoint, createAuthMiddleware } from 'better-auth/api'
import { jwt } from 'better-auth/plugins'
import type { Pool } from 'pg'
import { z } from 'zod'
import { SCHEMA } from '../database.ts'
import { applicationType, clientFields, clientRegistration, GRANT_TYPES } from './client-registration.ts'
import { anySpaceResource, resourceOf } from './resources.ts'
import { KNOWN_SCOPES } from './scopes.ts'

/** Below the app's own address: the issuer, as gateway and clients know it. */
export const ISSUER_PATH = '/api/auth'

/** Where people decide; whoever is not signed in does so on the way. */
export const CONSENT_PAGE = '/oauth/consent'

/** A rotated refresh token still gets the answer that its first use got: two windows of one client refresh at the same time. */
const REUSE_SECONDS = 60

/** Each refresh begins them anew: who uses a client at least every few months never logs in again. */
const REFRESH_TOKEN_SECONDS = 90 * 24 * 3600

/** How long a person may take to sign in and decide, and how long the code is good that comes of it. */
const REQUEST_SECONDS = 600

export interface AuthorizationServerOptions {
  readonly pool: Pool
  readonly webUrl: string
  readonly gatewayPublicUrl: string
  readonly accessTokenSeconds: number
}

/** What a person decided about a client's request. Only what {@link withDecision} runs has one. */
export type Decision =
  { readonly allow: false } | { readonly allow: true; readonly spaceId: string; readonly scopes: readonly string[] }
const decision = new AsyncLocalStorage<Decision>()
export const withDecision = <T>(made: Decision, work: () => Promise<T>): Promise<T> => decision.run(made, work)

function chosenSpace(): string | undefined {
  const made = decision.getStore()
  return made?.allow ? made.spaceId : undefined
}

/**
 * better-auth's plugins as the authorization server for the gateway's MCP endpoints: authorization codes with PKCE, refresh tokens that
 * rotate, and access tokens that the gateway checks by itself. A grant is for one space, which is the consent's reference.
 */
export function authorizationServer({
  pool,
  webUrl,
  gatewayPublicUrl,
  accessTokenSeconds,
}: AuthorizationServerOptions): WithoutApi[] {
  const issuer = webUrl + ISSUER_PATH
  const signing = jwt({
    jwt: { issuer },
    // These tokens are for clients of MCP; the app's own pages have sessions.
    disableSettingJwtHeader: true,
  })
  const provider = oauthProvider({
    loginPage: CONSENT_PAGE,
    consentPage: CONSENT_PAGE,
    scopes: [...KNOWN_SCOPES],
    resources: [anySpaceResource(gatewayPublicUrl)],
    enforcePerClientResources: false,
    grantTypes: [...GRANT_TYPES],
    accessTokenExpiresIn: accessTokenSeconds,
    refreshTokenExpiresIn: REFRESH_TOKEN_SECONDS,
    refreshTokenReuseInterval: REUSE_SECONDS,
    codeExpiresIn: REQUEST_SECONDS,
    allowDynamicClientRegistration: true,
    allowUnauthenticatedClientRegistration: true,
    storeTokens: { hash: async (token) => digest(token) },
    storeClientSecret: {
      hash: async (secret) => digest(secret),
      verify: async (secret, stored) => isSame(digest(secret), stored),
    },
    // A whole team may be behind one address.
    rateLimit: {
      register: { window: 600, max: 60 },
      authorize: { window: 60, max: 120 },
      token: { window: 60, max: 600 },
      revoke: { window: 60, max: 120 },
    },
    postLogin: {
      page: CONSENT_PAGE,
      shouldRedirect: () => false,
      // Without a decision it is a reference that no consent ever had, so that the person is asked.
      consentReferenceId: () => chosenSpace() ?? `undecided-${randomUUID()}`,
    },
    async customAccessTokenClaims({ user, referenceId: spaceId, resources = [] }) {
      const isForSpace = resources.every((url) => {
        const resource = resourceOf(gatewayPublicUrl, url)
        return resource && (resource.spaceId ?? spaceId) === spaceId
      })
      if (!user || !spaceId || !isForSpace || !(await isMember(pool, spaceId, user.id))) {
        throw new APIError('BAD_REQUEST', {
          error: 'invalid_grant',
          error_description: 'The person does not belong to the space any more.',
        })
      }
      return { space_id: spaceId }
    },
  })

  const plugins = [
    { ...signing, endpoints: { getJwks: signing.endpoints.getJwks } },
    {
      ...provider,
      // What is said of this server is in metadata.ts.
      onRequest: async () => undefined,
      hooks: { ...provider.hooks, before: [...provider.hooks.before, consentIsOurs] },
      // Of the plugin's many.
      endpoints: {
        oauth2Authorize: provider.endpoints.oauth2Authorize,
        oauth2Consent: provider.endpoints.oauth2Consent,
        oauth2Token: provider.endpoints.oauth2Token,
        oauth2Revoke: provider.endpoints.oauth2Revoke,
        registerOAuthClient: registerClient,
      },
    },
  ]
  // The plugin's own types do not pass under exactOptionalPropertyTypes.
  return plugins as object[] as WithoutApi[]
}

/** Clients speak HTTP with it; on the server there is nothing to call. */
type WithoutApi = Omit<BetterAuthPlugin, 'endpoints'> & { endpoints: Record<never, never> }

/** The plugin's endpoint for consents is behind this app's own route, which checks what the plugin does not know: the space. */
const consentIsOurs = {
  matcher: ({ path }: { path?: string }) => path === '/oauth2/consent',
  handler: createAuthMiddleware(async () => {
    if (!decision.getStore()) throw new APIError('NOT_FOUND')
  }),
}

/** What is kept of tokens, codes and client secrets. */
export const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

const isSame = (one: string, other: string) =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))

/**
 * Instead of the plugin's, which takes neither clients that do not say what kind of application they are, nor those that are reached in
 * more than one way, nor schemes like `cursor:`.
 */
const registerClient = createAuthEndpoint('/oauth2/register', { method: 'POST', body: z.unknown() }, async (ctx) => {
  const asked = clientRegistration(ctx.body)
  if ('error' in asked) {
    throw new APIError('BAD_REQUEST', { error: asked.error, error_description: asked.description })
  }
  const { name, redirectUris, authMethod, softwareId, softwareVersion } = asked
  const secret = authMethod === 'none' ? undefined : randomBytes(32).toString('base64url')
  const clientId = randomBytes(24).toString('base64url')
  const now = new Date()
  await ctx.context.adapter.create({
    model: 'oauthClient',
    data: {
      clientId,
      clientSecret: secret && digest(secret),
      ...clientFields(asked),
      createdAt: now,
      updatedAt: now,
    },
  })
  ctx.setStatus(201)
  ctx.setHeader('cache-control', 'no-store')
  return ctx.json({
    client_id: clientId,
    client_id_issued_at: Math.floor(now.getTime() / 1000),
    ...(secret && { client_secret: secret, client_secret_expires_at: 0 }),
    client_name: name,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: authMethod,
    grant_types: GRANT_TYPES,
    response_types: ['code'],
    application_type: applicationType(redirectUris),
    scope: KNOWN_SCOPES.join(' '),
    ...(softwareId && { software_id: softwareId }),
    ...(softwareVersion && { software_version: softwareVersion }),
  })
})

async function isMember(pool: Pool, spaceId: string, userId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from ${SCHEMA}.member where "organizationId"::text = $1 and "userId"::text = $2`,
    [spaceId, userId],
  )
  return rowCount !== 0
}
