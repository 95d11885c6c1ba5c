import type { LookupFunction } from 'node:net'
import type { AuthorizationError } from '@nmg/contract'
import {
  ForbiddenUrl,
  guardedFetches,
  isLoopback,
  NotEntitled,
  ProxyFailed,
  reachOf,
  TooMuchBody,
  type Gate,
  type GuardedFetch,
  type Proxies,
  type Reach,
} from '@nmg/outbound'
import * as oauth from 'oauth4webapi'
import type { Grant } from '../../domain/connection.ts'
import { IMPLIED_SCOPE, scopeOf } from '../../domain/upstream-scope.ts'
import { Failure } from '../../failure.ts'
import {
  AuthorizationRefused,
  type AuthorizationServer,
  type AuthorizationServerInfo,
  type ClientRegistration,
  type Claim,
  type RefreshOutcome,
  type RefreshSign,
  type RenewableCredential,
  type Tokens,
} from '../../ports.ts'
import { Secret } from '../../secret.ts'
import {
  discover,
  METADATA_TIMEOUT_MS,
  forbidden,
  originOf,
  proxyFailure,
  type EndpointOverrides,
} from './discovery.ts'

export interface AuthorizationServerSettings {
  readonly mcpServer: URL
  readonly overrides: EndpointOverrides
  readonly redirectUri: string
  readonly clientName: string
  readonly fixedClient: ClientRegistration | null
  /** Where the document is that describes us, for servers that take its address as the id of a client. */
  readonly clientMetadataUrl: URL | undefined
  readonly authMethod: ClientRegistration['authMethod']
  readonly scope: string | undefined
  /** The MCP server may name addresses of private networks. */
  readonly isPrivateNetwork: boolean
  readonly proxies: Proxies
  /** For tests: called right before a refresh token leaves, and right after. */
  readonly onRefresh?: ((step: 'connected' | 'sent') => void) | undefined
  /** How names become addresses; as the system does it when left out. */
  readonly lookup?: LookupFunction | undefined
}

/** The authorization server of the upstream, over oauth4webapi. */
export function oauthServer(settings: AuthorizationServerSettings): AuthorizationServer {
  const { redirectUri, fixedClient, clientMetadataUrl, mcpServer, overrides } = settings
  const reach = reachFrom(settings)
  const fetches = guardedFetches(reach, settings.proxies)

  const register = async (server: AuthorizationServerInfo): Promise<ClientRegistration> => {
    if (fixedClient) return fixedClient
    if (!server.registrationEndpoint) {
      throw new Failure(
        'authorization_refused',
        `${originOf(server.issuer)} does not register clients by itself. Set NOTION_MCP_CLIENT_ID and NOTION_MCP_CLIENT_SECRET.`,
      )
    }
    return registerClient(server, settings, fetches())
  }

  return {
    readyClient(server) {
      if (fixedClient) return fixedClient
      if (!clientMetadataUrl || !server.takesMetadataDocuments) return null
      return { clientId: clientMetadataUrl.href, clientSecret: null, authMethod: 'none' }
    },
    redirectUri,
    fixedScope: settings.scope,
    discover: () => discover({ mcpServer, overrides, reach, fetch: fetches({ timeoutMs: METADATA_TIMEOUT_MS }) }),
    register,

    async authorizationUrl(server, client, state, codeVerifier) {
      const url = new URL(server.authorizationEndpoint)
      const { scope } = server
      const isImplied = scope === IMPLIED_SCOPE && settings.scope !== scope
      const parameters = {
        response_type: 'code',
        client_id: client.clientId,
        redirect_uri: redirectUri,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier.reveal()),
        code_challenge_method: 'S256',
        prompt: 'consent',
        ...(server.resource === null ? {} : { resource: server.resource }),
        ...(scope === null || isImplied ? {} : { scope }),
      }
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      return url
    },

    async exchange(request, response) {
      const as = asMetadata(request.server)
      const client = asClient(request.client)
      const validated = validateResponse(as, client, response)
      const { resource } = request.server
      try {
        const answer = await oauth.authorizationCodeGrantRequest(
          as,
          client,
          clientAuth(request.client),
          validated,
          redirectUri,
          request.codeVerifier.reveal(),
          tokenOptions(fetches(), resource),
        )
        return tokensOf(await oauth.processAuthorizationCodeResponse(as, client, await withUsableLifetime(answer)))
      } catch (cause) {
        throw new AuthorizationRefused(exchangeError(cause), { cause })
      }
    },

    refresh: (grant, credential, claim) => redeem(grant, credential, claim, fetches, settings.onRefresh),

    async revoke(grant, credential) {
      if (grant.revocationEndpoint === null) return 'not_supported'
      const as = asMetadata(grant)
      const options = {
        [oauth.customFetch]: fetches({ timeoutMs: REVOCATION_TIMEOUT_MS }),
        [oauth.allowInsecureRequests]: true,
        additionalParameters: { token_type_hint: credential.refreshToken ? 'refresh_token' : 'access_token' },
      }
      try {
        const answer = await oauth.revocationRequest(
          as,
          asClient(credential.client),
          clientAuth(credential.client),
          (credential.refreshToken ?? credential.accessToken).reveal(),
          options,
        )
        await oauth.processRevocationResponse(withoutChallenge(answer))
        return 'revoked'
      } catch {
        return 'failed'
      }
    },
  }
}

const REVOCATION_TIMEOUT_MS = 5_000

/** What the operator has named may be anywhere, but not without TLS. What the MCP server names is as public as itself. */
function reachFrom({ mcpServer, overrides, isPrivateNetwork, lookup }: AuthorizationServerSettings): Reach {
  const named = [mcpServer, overrides.authorize, overrides.token, overrides.registration, overrides.revocation]
  return reachOf({
    also: isLoopback(mcpServer) ? ['private', 'machine'] : isPrivateNetwork ? ['private'] : [],
    trustedOrigins: named.flatMap((url) => (url && (url.protocol === 'https:' || isLoopback(url)) ? [url.origin] : [])),
    ...(lookup && { lookup }),
  })
}

/** [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2). @throws {Failure} */
async function registerClient(
  server: AuthorizationServerInfo,
  {
    redirectUri,
    clientName,
    authMethod,
  }: Pick<AuthorizationServerSettings, 'redirectUri' | 'clientName' | 'authMethod'>,
  fetch: GuardedFetch,
): Promise<ClientRegistration> {
  const metadata = {
    client_name: clientName,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: authMethod,
    application_type: isLoopback(new URL(redirectUri)) ? 'native' : 'web',
  }
  try {
    const answer = await oauth.dynamicClientRegistrationRequest(asMetadata(server), metadata, {
      [oauth.customFetch]: fetch,
      [oauth.allowInsecureRequests]: true,
    })
    const registered = await oauth.processDynamicClientRegistrationResponse(await withSecretExpiry(answer))
    const { client_secret: secret, token_endpoint_auth_method: method = authMethod } = registered
    if (method !== 'none' && method !== 'client_secret_basic' && method !== 'client_secret_post') {
      throw new Failure(
        'authorization_refused',
        `${originOf(server.issuer)} registered the gateway with an authentication method it does not know.`,
      )
    }
    return {
      clientId: registered.client_id,
      clientSecret: typeof secret === 'string' ? new Secret(secret) : null,
      authMethod: method,
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    if (cause instanceof ForbiddenUrl) throw forbidden(cause)
    if (cause instanceof ProxyFailed) throw proxyFailure(cause)
    if (cause instanceof oauth.ResponseBodyError) {
      throw new Failure(
        'authorization_refused',
        `${originOf(server.issuer)} refused to register the gateway as a client (${wellFormed(cause.error)}). Check NOTION_MCP_OAUTH_REDIRECT_URI.`,
        { cause },
      )
    }
    throw new Failure(
      'authorization_unavailable',
      `${originOf(server.issuer)} does not register clients right now. Try again in a minute.`,
      {
        cause,
        retryAfterSeconds: 30,
      },
    )
  }
}

/** Checks the authorization response; `iss` comes first, so that a mixed-up answer is not believed in anything else it says. */
function validateResponse(
  as: oauth.AuthorizationServer,
  client: oauth.Client,
  response: URLSearchParams,
): URLSearchParams {
  const issuers = response.getAll('iss')
  const isAsPromised = issuers.length === 0 && as.authorization_response_iss_parameter_supported !== true
  if (!isAsPromised && (issuers.length !== 1 || issuers[0] !== as.issuer))
    throw new AuthorizationRefused('wrong_issuer')
  try {
    // The state chose the request whose parameters are used here, so there is nothing left to compare it with.
    const validated = oauth.validateAuthResponse(as, client, response, oauth.skipStateCheck)
    if (!validated.get('code')) throw new AuthorizationRefused('missing_code')
    return validated
  } catch (cause) {
    if (cause instanceof AuthorizationRefused) throw cause
    const error = cause instanceof oauth.AuthorizationResponseError ? cause.error : undefined
    throw new AuthorizationRefused(passedOn.find((code) => code === error) ?? 'authorization_refused', { cause })
  }
}

/** Errors of the authorization response that the person is told as they are. */
const passedOn = ['access_denied', 'invalid_scope', 'temporarily_unavailable', 'server_error'] as const

const exchangeError = (cause: unknown): AuthorizationError => {
  if (cause instanceof ForbiddenUrl) return 'authorization_refused'
  const isRefused = cause instanceof oauth.ResponseBodyError && cause.status < 500 && cause.status !== 429
  return isRefused ? 'exchange_refused' : 'authorization_unavailable'
}

/** Errors of the token endpoint after which the grant cannot be refreshed ever again ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)). */
const FINAL_ERRORS = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client', 'unsupported_grant_type'])

/** Errors that say of themselves that nothing was done and trying later makes sense. */
const NOTHING_DONE_ERRORS = new Set(['invalid_request', 'invalid_scope', 'invalid_target'])

async function redeem(
  grant: Grant,
  credential: RenewableCredential,
  claim: Pick<Claim, 'isEntitled' | 'remainingMs'>,
  fetches: ReturnType<typeof guardedFetches>,
  onStep: AuthorizationServerSettings['onRefresh'],
): Promise<RefreshOutcome> {
  let hasLeft = false
  const gate: Gate = {
    isOpen() {
      onStep?.('connected')
      return claim.isEntitled()
    },
    onLeave: () => (hasLeft = true),
    ...(onStep && { onLeft: () => onStep('sent') }),
  }
  const as = asMetadata(grant)
  const client = asClient(credential.client)
  let response: Response
  try {
    response = await oauth.refreshTokenGrantRequest(
      as,
      client,
      clientAuth(credential.client),
      credential.refreshToken.reveal(),
      tokenOptions(fetches({ gate, timeoutMs: claim.remainingMs() }), grant.resource),
    )
  } catch (cause) {
    const sign = signOf(cause, hasLeft)
    return {
      kind: hasLeft ? 'in_doubt' : 'not_redeemed',
      sign,
      cause: cause instanceof ProxyFailed ? proxyFailure(cause) : cause,
    }
  }
  const retryAfterSeconds = retryAfter(response)
  try {
    return {
      kind: 'granted',
      tokens: tokensOf(await oauth.processRefreshTokenResponse(as, client, await withUsableLifetime(response))),
    }
  } catch (cause) {
    if (cause instanceof oauth.ResponseBodyError && (cause.status === 400 || cause.status === 401)) {
      if (FINAL_ERRORS.has(cause.error)) return { kind: 'refused', error: cause.error }
      if (NOTHING_DONE_ERRORS.has(cause.error)) {
        return { kind: 'not_redeemed', sign: 'objecting', cause, ...retryAfterSeconds }
      }
    }
    return { kind: 'in_doubt', sign: response.status === 429 ? 'busy' : 'unreadable', cause, ...retryAfterSeconds }
  }
}

function signOf(cause: unknown, hasLeft: boolean): RefreshSign {
  if (cause instanceof NotEntitled) return 'withheld'
  if (cause instanceof ForbiddenUrl) return 'forbidden'
  if (!hasLeft) return 'unreachable'
  if (cause instanceof TooMuchBody) return 'unreadable'
  return cause instanceof Error && cause.name === 'TimeoutError' ? 'silent' : 'cut'
}

/** Seconds until `Retry-After`, in either of its forms ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)). */
function retryAfter(response: Response): { retryAfterSeconds?: number } {
  const text = response.headers.get('retry-after')
  if (text === null) return {}
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - Date.now()) / 1000)
  return Number.isFinite(seconds) && seconds > 0
    ? { retryAfterSeconds: Math.min(seconds, MAX_RETRY_AFTER_SECONDS) }
    : {}
}

/** A longer wait would put the connection at risk for a slip of the server's. */
const MAX_RETRY_AFTER_SECONDS = 3600

/** Ten years. Servers that mean "never" send numbers for which there is no date. */
const LONGEST_LIFE_SECONDS = 315_360_000

/** Null, as when it is missing, for a lifetime that makes no sense: a 401 then tells when the token has ended. */
const usableLifetime = (seconds: number | undefined): number | null =>
  seconds === undefined || !(seconds > 0) ? null : Math.min(seconds, LONGEST_LIFE_SECONDS)

function tokensOf(answer: oauth.TokenEndpointResponse): Tokens {
  const text = (name: string) => (typeof answer[name] === 'string' ? answer[name] : undefined)
  return {
    accessToken: new Secret(answer.access_token),
    refreshToken: answer.refresh_token === undefined ? null : new Secret(answer.refresh_token),
    expiresInSeconds: usableLifetime(answer.expires_in),
    scope: scopeOf(answer.scope?.split(' ') ?? []),
    workspace: { id: text('workspace_id'), name: text('workspace_name'), botId: text('bot_id') },
  }
}

/** oauth4webapi reads a challenge before the body; the body's error code is what tells a lost client from a passing refusal. */
function withoutChallenge(response: Response): Response {
  response.headers.delete('www-authenticate')
  return response
}

/**
 * A registration that says when its secret ends. RFC 7591 demands `client_secret_expires_at`, and oauth4webapi with it; servers forget it,
 * and mean 0, which is never.
 */
async function withSecretExpiry(response: Response): Promise<Response> {
  withoutChallenge(response)
  if (response.status !== 201) return response
  const text = await response.text()
  const { status, headers } = response
  try {
    const registered = JSON.parse(text) as Record<string, unknown>
    if (registered['client_secret'] !== undefined && registered['client_secret_expires_at'] === undefined)
      return Response.json({ ...registered, client_secret_expires_at: 0 }, { status, headers })
  } catch {
    // Whoever reads it next says what is wrong with it.
  }
  return new Response(text, { status, headers })
}

/**
 * A token response whose `expires_in` makes no sense, without it. oauth4webapi refuses it whole, and refusing a rotated pair would lose it.
 */
async function withUsableLifetime(response: Response): Promise<Response> {
  withoutChallenge(response)
  if (response.status !== 200) return response
  const text = await response.text()
  const { status, headers } = response
  try {
    const { expires_in: lifetime, ...rest } = JSON.parse(text) as Record<string, unknown>
    if (lifetime !== undefined && !(Number(lifetime) > 0)) return Response.json(rest, { status, headers })
  } catch {
    // Whoever reads it next says what is wrong with it.
  }
  return new Response(text, { status, headers })
}

const tokenOptions = (fetch: GuardedFetch, resource: string | null) => ({
  [oauth.customFetch]: fetch,
  [oauth.allowInsecureRequests]: true,
  additionalParameters: resource === null ? {} : { resource },
})

const asMetadata = (
  server: Pick<AuthorizationServerInfo, 'issuer' | 'tokenEndpoint' | 'revocationEndpoint'> &
    Partial<AuthorizationServerInfo>,
): oauth.AuthorizationServer => ({
  issuer: server.issuer,
  token_endpoint: server.tokenEndpoint,
  ...(server.revocationEndpoint === null ? {} : { revocation_endpoint: server.revocationEndpoint }),
  ...(server.registrationEndpoint == null ? {} : { registration_endpoint: server.registrationEndpoint }),
  authorization_response_iss_parameter_supported: server.promisesIssuer === true,
})

const asClient = (client: ClientRegistration): oauth.Client => ({ client_id: client.clientId })

function clientAuth({ authMethod, clientSecret }: ClientRegistration): oauth.ClientAuth {
  if (authMethod === 'none' || clientSecret === null) return oauth.None()
  return authMethod === 'client_secret_basic' ? basic(clientSecret) : oauth.ClientSecretPost(clientSecret.reveal())
}

/**
 * Not oauth4webapi's, which also writes `-` and `_` as escapes: right by the letter, but servers that forget to decode would then know neither the
 * client nor its secret. Ids and secrets are seldom made of more.
 */
const basic =
  (secret: Secret): oauth.ClientAuth =>
  (_as, client, _body, headers) => {
    const pair = `${formEncoded(client.client_id)}:${formEncoded(secret.reveal())}`
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`)
  }

/** [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1) */
const formEncoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)

/** An error code as the grammar of RFC 6749 allows it; anything else a server put there is not repeated. */
const wellFormed = (code: string) => (/^[\w.-]{1,60}$/.test(code) ? code : 'no usable error code')
