import type { LookupFunction } from 'node:net'
import type { AuthorizationError } from '@nmg/contract'
import {
  ForbiddenUrl,
  guardedFetches,
  isLoopback,
  RequestWithheld,
  ProxyFailed,
  createSsrfGuard,
  BodyTooLarge,
  type SendHooks,
  type GuardedFetch,
  type Proxies,
  type SsrfGuard,
} from '@nmg/outbound'
import * as oauth from 'oauth4webapi'
import { retryAfter } from './retry-after.ts'
import { readTokenResponse, type TokenResponse } from './token-response.ts'
import type { Grant } from '../connection.ts'
import { IMPLIED_SCOPE } from './scope.ts'
import { Failure } from '../../platform/failure.ts'
import {
  type RedeemPermit,
  AuthorizationRefused,
  type AuthorizationServer,
  type RefreshOutcome,
  type RefreshSymptom,
} from '../authorization-server.ts'
import { type AuthorizationServerInfo } from './discovery.ts'
import type { ClientRegistration, RenewableCredential } from '../credential.ts'
import { asClient, clientAuth } from './client-authentication.ts'
import { registerClient } from './client-registration.ts'
import {
  discover,
  METADATA_TIMEOUT_MS,
  originOf,
  proxyFailure,
  readIssuerMetadata,
  type EndpointOverrides,
} from './discovery.ts'
import { issuerEndpoints } from './issuer-endpoints.ts'

export interface AuthorizationServerSettings {
  readonly mcpServer: URL
  readonly overrides: EndpointOverrides
  readonly redirectUri: string
  readonly clientName: string
  readonly fixedClient: ClientRegistration | null
  /** URL of our client ID metadata document, which is the client ID at servers that support it. */
  readonly clientMetadataUrl: URL | undefined
  /** Authentication method of registered clients; undefined to choose one that the server supports. */
  readonly authMethod: ClientRegistration['authMethod'] | undefined
  readonly scope: string | undefined
  /** Allows discovered addresses in private networks. */
  readonly isPrivateNetwork: boolean
  readonly proxies: Proxies

  /** Default: the system's resolver. */
  readonly lookup?: LookupFunction | undefined
}

/** The OAuth client for upstream's authorization server, on top of oauth4webapi. */
export function oauthServer(settings: AuthorizationServerSettings): AuthorizationServer {
  const { redirectUri, fixedClient, clientMetadataUrl, mcpServer, overrides } = settings
  const guard = guardFrom(settings)
  const fetches = guardedFetches(guard, settings.proxies)
  const metadataContext = { mcpServer, overrides, guard, fetch: fetches({ timeoutMs: METADATA_TIMEOUT_MS }) }
  const endpoints = issuerEndpoints(overrides, (issuer) => readIssuerMetadata(issuer, metadataContext))

  /** Changed settings of the fixed client also apply to connections made with the old ones. */
  const currentClient = (client: ClientRegistration): ClientRegistration =>
    fixedClient?.clientId === client.clientId ? fixedClient : client
  const isFixed = (client: ClientRegistration) => fixedClient?.clientId === client.clientId
  const isShared = (client: ClientRegistration) => isFixed(client) || client.clientId === clientMetadataUrl?.href

  return {
    preregisteredClient(server) {
      if (fixedClient) return fixedClient
      if (!clientMetadataUrl || !server.takesMetadataDocuments) return null
      return { clientId: clientMetadataUrl.href, clientSecret: null, authMethod: 'none' }
    },
    redirectUri,
    fixedScope: settings.scope,
    discover: () => discover(metadataContext),
    currentGrant: endpoints.current,
    rereadEndpoints: endpoints.reread,
    isShared,

    async register(server) {
      if (fixedClient) return fixedClient
      const { registrationEndpoint } = server
      if (registrationEndpoint === null) {
        throw new Failure(
          'authorization_refused',
          `${originOf(server.issuer)} does not support dynamic client registration. Set NOTION_MCP_CLIENT_ID and NOTION_MCP_CLIENT_SECRET.`,
        )
      }
      return registerClient({ ...server, registrationEndpoint }, settings, fetches())
    },

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
      const registered = currentClient(request.client)
      const client = asClient(registered)
      const validated = validateResponse(as, client, response, isFixed(registered))
      let tokenResponse: Response
      try {
        tokenResponse = await oauth.authorizationCodeGrantRequest(
          as,
          client,
          clientAuth(registered),
          validated,
          redirectUri,
          request.codeVerifier.reveal(),
          tokenOptions(fetches(), request.server.resource),
        )
      } catch (cause) {
        const code = cause instanceof ForbiddenUrl ? 'authorization_refused' : 'authorization_unavailable'
        throw new AuthorizationRefused(code, { cause })
      }
      const sent = [validated.get('code') ?? '', request.codeVerifier.reveal()]
      const read = withoutEcho(
        readTokenResponse({ status: tokenResponse.status, body: await tokenResponse.text() }),
        tokenResponse.status,
        sent,
      )
      if (read.kind === 'granted') return read.tokens
      throw new AuthorizationRefused(exchangeError(read, tokenResponse.status, isFixed(registered)), {
        cause: new Error(`the token endpoint responded with ${errorIn(read, tokenResponse.status)}`),
      })
    },

    refresh(grant, credential, permit) {
      const current = { ...credential, client: currentClient(credential.client) }
      const clientKind = isFixed(current.client) ? 'fixed' : isShared(current.client) ? 'document' : 'registered'
      return redeem(grant, current, clientKind, permit, fetches)
    },

    async revoke(grant, credential) {
      const { revocationEndpoint, issuer, tokenEndpoint } = endpoints.current(grant)
      const token = credential.refreshToken ?? credential.accessToken
      if (revocationEndpoint === null || token === null) return 'not_supported'
      const client = currentClient(credential.client)
      const options = {
        [oauth.customFetch]: fetches({ timeoutMs: REVOCATION_TIMEOUT_MS }),
        [oauth.allowInsecureRequests]: true,
        additionalParameters: { token_type_hint: credential.refreshToken ? 'refresh_token' : 'access_token' },
      }
      try {
        const { status } = await oauth.revocationRequest(
          asMetadata({ issuer, tokenEndpoint, revocationEndpoint }),
          asClient(client),
          clientAuth(client),
          token.reveal(),
          options,
        )
        return status >= 200 && status < 300 ? 'revoked' : 'failed'
      } catch {
        return 'failed'
      }
    },
  }
}

const REVOCATION_TIMEOUT_MS = 5_000

/** Origins from the settings are trusted, if they use TLS or are loopback. Discovered ones must be as public as the MCP server. */
function guardFrom({ mcpServer, overrides, isPrivateNetwork, lookup }: AuthorizationServerSettings): SsrfGuard {
  const named = [mcpServer, overrides.authorize, overrides.token, overrides.registration, overrides.revocation]
  return createSsrfGuard({
    alsoAllow: isLoopback(mcpServer) ? ['private', 'loopback'] : isPrivateNetwork ? ['private'] : [],
    trustedOrigins: named.flatMap((url) => (url && (url.protocol === 'https:' || isLoopback(url)) ? [url.origin] : [])),
    ...(lookup && { lookup }),
  })
}

/** Validates the authorization response, `iss` first, so that nothing else in a response of another issuer is trusted (RFC 9207). */
function validateResponse(
  as: oauth.AuthorizationServer,
  client: oauth.Client,
  response: URLSearchParams,
  isFixed: boolean,
): URLSearchParams {
  const issuers = response.getAll('iss')
  const isAsPromised = issuers.length === 0 && as.authorization_response_iss_parameter_supported !== true
  if (!isAsPromised && (issuers.length !== 1 || issuers[0] !== as.issuer))
    throw new AuthorizationRefused('wrong_issuer')
  try {
    // The request was looked up by the state, which therefore matches.
    const validated = oauth.validateAuthResponse(as, client, response, oauth.skipStateCheck)
    if (!validated.get('code')) throw new AuthorizationRefused('missing_code')
    return validated
  } catch (cause) {
    if (cause instanceof AuthorizationRefused) throw cause
    const error = cause instanceof oauth.AuthorizationResponseError ? cause.error : undefined
    if (isFixed && error !== undefined && CLIENT_ERRORS.has(error)) {
      throw new AuthorizationRefused('client_rejected', { cause })
    }
    throw new AuthorizationRefused(FORWARDED_ERRORS.find((code) => code === error) ?? 'authorization_refused', {
      cause,
    })
  }
}

/** Errors of the authorization response that are forwarded to the application. */
const FORWARDED_ERRORS = ['access_denied', 'invalid_scope', 'temporarily_unavailable', 'server_error'] as const

/** The server does not know the client or rejects its credentials. */
const CLIENT_ERRORS = new Set(['invalid_client', 'unauthorized_client'])

/** Temporary errors ([RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1), and non-standard codes in use). */
const TRANSIENT_ERRORS = new Set([
  'temporarily_unavailable',
  'server_error',
  'slow_down',
  'rate_limited',
  'rate_limit_exceeded',
])

/** The resource indicator is rejected ([RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2), and the code of its drafts). */
const RESOURCE_ERRORS = new Set(['invalid_target', 'invalid_resource'])

/** Request Timeout, Too Early, Too Many Requests: these do not concern the grant, whatever the body. */
const TRANSIENT_STATUSES = new Set([408, 425, 429])

/**
 * Errors after which the grant can never be refreshed again ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)), and codes that
 * servers use instead of `invalid_grant`.
 */
const FINAL_ERRORS = new Set([
  'invalid_grant',
  'bad_refresh_token',
  'invalid_refresh_token',
  'expired_refresh_token',
  'refresh_token_expired',
  'refresh_token_revoked',
  'token_revoked',
  'token_expired',
  'expired_token',
  'grant_revoked',
  'unsupported_grant_type',
  ...CLIENT_ERRORS,
])

function exchangeError(
  read: Exclude<TokenResponse, { kind: 'granted' }>,
  status: number,
  isFixed: boolean,
): AuthorizationError {
  if (read.kind === 'unreadable' || TRANSIENT_STATUSES.has(status)) return 'authorization_unavailable'
  if (TRANSIENT_ERRORS.has(read.error)) return 'temporarily_unavailable'
  return isFixed && CLIENT_ERRORS.has(read.error) ? 'client_rejected' : 'exchange_refused'
}

/** Replaces an error code that repeats a secret of the request, since error codes are displayed, stored and logged. */
function withoutEcho(read: TokenResponse, status: number, secrets: readonly string[]): TokenResponse {
  if (read.kind !== 'refused') return read
  const isEcho = secrets.some((secret) => secret.toLowerCase() === read.error)
  return isEcho ? { ...read, error: `http_${status}` } : read
}

const errorIn = (read: TokenResponse, status: number) => (read.kind === 'refused' ? read.error : `HTTP ${status}`)

/** The origin of a client: registered for one connection, or shared as a metadata document or by the settings. */
type ClientKind = 'registered' | 'document' | 'fixed'

async function redeem(
  grant: Grant,
  credential: RenewableCredential,
  clientKind: ClientKind,
  permit: RedeemPermit,
  fetches: ReturnType<typeof guardedFetches>,
): Promise<RefreshOutcome> {
  let isSent = false
  const hooks: SendHooks = {
    beforeSend: () => permit.mayRedeem(),
    onSend: () => (isSent = true),
  }
  let response: Response
  try {
    response = await oauth.refreshTokenGrantRequest(
      asMetadata(grant),
      asClient(credential.client),
      clientAuth(credential.client),
      credential.refreshToken.reveal(),
      tokenOptions(fetches({ hooks, timeoutMs: permit.remainingMs() }), grant.resource),
    )
  } catch (cause) {
    const symptom = symptomOf(cause, isSent)
    return {
      kind: isSent ? 'in_doubt' : 'not_redeemed',
      symptom,
      error: DESCRIPTIONS[symptom],
      cause: cause instanceof ProxyFailed ? proxyFailure(cause) : cause,
    }
  }
  const sent = [credential.refreshToken.reveal()]
  const read = withoutEcho(
    readTokenResponse({ status: response.status, body: await response.text() }),
    response.status,
    sent,
  )
  return outcomeOf(read, response, clientKind)
}

function outcomeOf(read: TokenResponse, response: Response, clientKind: ClientKind): RefreshOutcome {
  if (read.kind === 'granted') return read
  const { status } = response
  const retryAfterSeconds = retryAfter(response.headers)
  const details = { error: errorIn(read, status), ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
  if (TRANSIENT_STATUSES.has(status)) return { kind: 'in_doubt', symptom: 'rate_limited', ...details }
  const hasMoved = (status >= 300 && status < 400) || [404, 405, 410].includes(status)
  if (read.kind === 'unreadable') return { kind: 'in_doubt', symptom: hasMoved ? 'moved' : 'unreadable', ...details }
  if (TRANSIENT_ERRORS.has(read.error)) return { kind: 'in_doubt', symptom: 'unreadable', ...details }
  if (CLIENT_ERRORS.has(read.error) && clientKind !== 'registered') {
    // The cause is the settings, or a metadata document that the server could not fetch. The grant still exists.
    return { kind: 'not_redeemed', symptom: clientKind === 'fixed' ? 'client_rejected' : 'rejected', ...details }
  }
  if (FINAL_ERRORS.has(read.error)) return { kind: 'refused', error: read.error, isTokenExpired: read.isTokenExpired }
  if (RESOURCE_ERRORS.has(read.error)) return { kind: 'not_redeemed', symptom: 'resource_refused', ...details }
  return { kind: 'not_redeemed', symptom: hasMoved ? 'moved' : 'rejected', ...details }
}

function symptomOf(cause: unknown, isSent: boolean): RefreshSymptom {
  if (cause instanceof RequestWithheld) return 'not_sent'
  if (cause instanceof ForbiddenUrl) return 'forbidden'
  if (!isSent) return 'unreachable'
  if (cause instanceof BodyTooLarge) return 'unreadable'
  return cause instanceof Error && cause.name === 'TimeoutError' ? 'timed_out' : 'connection_lost'
}

/** Descriptions of failures without a response, displayed as the last error. */
const DESCRIPTIONS: Record<RefreshSymptom, string> = {
  unreachable: 'no connection',
  timed_out: 'no response in time',
  connection_lost: 'connection lost before the response',
  unreadable: 'unreadable response',
  moved: 'moved',
  rate_limited: 'rate_limited',
  rejected: 'refused',
  resource_refused: 'refused',
  client_rejected: 'client rejected',
  not_sent: 'not sent',
  forbidden: 'forbidden address',
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
  authorization_response_iss_parameter_supported: server.promisesIssuer === true,
})
