/**
 * The OAuth authorization server for MCP clients: one entry point for their requests, and a few functions for the pages of this app.
 * Accounts, sessions and membership are better-auth's.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Pool } from 'pg'
import type { ClientAuthorization } from '../lib/authorization.ts'
import { SCHEMA } from '../lib/database.ts'
import { addressOf, refusalOf as limitRefusal, takeLimit, type LimitedAction } from '../lib/limits.ts'
import { causeOf, log } from '../lib/log.ts'
import { isJson } from '../lib/media-types.ts'
import { clientRegistration, registrationResponse } from './client-registration.ts'
import { findClient, registerClient } from './clients.ts'
import { consentRequests } from './consent-request.ts'
import { postgresGrants } from './grants.ts'
import {
  openToAllOrigins,
  passedRequest,
  readBody,
  redirect,
  sendJson,
  UNAVAILABLE,
  type RefusedRequest,
} from './http.ts'
import { ISSUER_PATH } from './issuer.ts'
import { keyStore, type Keys } from './keys.ts'
import { errorPage, ensureClient, type EnsureClientOptions } from './ensure-client.ts'
import { authorizationServerMetadata } from './metadata.ts'
import { oauthProvider, ROUTES } from './provider.ts'
import { isLoopbackRedirect, isRegisteredRedirect, whyNotRedirect } from './redirect-uris.ts'
import { authorizationRequest, tokenRequest } from './requests.ts'
import { revocationOutbox } from './revocations.ts'
import { startHousekeeping } from './sweep.ts'

/** The consent page; users without a session sign in first. */
const CONSENT_PAGE = '/oauth/consent'

const METADATA_PATH = '/.well-known/oauth-authorization-server'
const REGISTRATION_PATH = '/oauth2/register'
const JWKS_PATH = '/jwks'

export interface AuthorizationServerOptions extends EnsureClientOptions {
  readonly pool: Pool
  readonly webUrl: string
  readonly gatewayUrl: string
  /** The gateway as MCP clients know it. */
  readonly gatewayPublicUrl: string
  readonly serviceToken: string
  /** `AUTH_SECRETS`: the first one seals and signs, all of them open. */
  readonly secrets: readonly [string, ...string[]]
  readonly accessTokenSeconds: number
}

export interface AuthorizationServer extends ClientAuthorization {
  /** Handles requests for its endpoints. Returns false for all others. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>
  stop(): void
}

export function openAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { pool, webUrl, gatewayUrl, gatewayPublicUrl, serviceToken, secrets, documents } = options
  const issuer = webUrl + ISSUER_PATH
  const grants = postgresGrants(pool)
  const revocations = revocationOutbox({ pool, grants, gatewayUrl, serviceToken })
  const requests = consentRequests(secrets)
  const keys = keyStore(pool, secrets)
  const ensureKnown = ensureClient(options)

  const endGrant = async (grantId: string) => {
    if (await grants.end(grantId)) await revocations.deliverNow()
  }

  /** Redirect target for an error that occurs before the user has decided. */
  const errorUrl = (error: string, query: URLSearchParams, location: string | undefined): string => {
    // A local program waits for the error. Do not redirect to a site or app without user interaction (RFC 9700 §4.11.2).
    if (location !== undefined && isLoopbackRedirect(location)) return location
    const isRedirect = error === 'invalid_redirect_uri' || whyNotRedirect(query.get('redirect_uri') ?? '') !== undefined
    return webUrl + errorPage(isRedirect ? 'invalid_redirect' : error, location === undefined ? undefined : query)
  }

  const protocol = protocolOf((signingKeys) =>
    oauthProvider({
      issuer,
      keys: signingKeys,
      grants,
      findClient: (clientId) => findClient(pool, clientId),
      endGrant,
      accessTokenSeconds: options.accessTokenSeconds,
      consentUrl: (request) => `${webUrl}${CONSENT_PAGE}?${requests.sign(request)}`,
      errorUrl,
    }).callback(),
  )
  const pass = async (request: IncomingMessage, response: ServerResponse) =>
    protocol(await keys.current())(request, response)

  const authorize = async (request: IncomingMessage, response: ServerResponse) => {
    const asked = authorizationRequest(new URL(request.url ?? '', webUrl).searchParams, gatewayPublicUrl)
    const { query, resource } = asked
    if (resource?.spaceId !== undefined && !(await isSpace(pool, resource.spaceId))) query.delete('resource')
    const elsewhere = await ensureKnown(webHeaders(request), ISSUER_PATH + ROUTES.authorization, asked)
    if (elsewhere !== undefined) return redirect(response, webUrl + elsewhere)
    // The library would redirect the error to the only registered URI.
    if (query.getAll('redirect_uri').length !== 1) return redirect(response, webUrl + errorPage('invalid_redirect'))
    const client = await findClient(pool, query.get('client_id') ?? '')
    if (client?.isDisabled) return redirect(response, webUrl + errorPage('client_disabled'))
    const passed = { method: 'GET', path: `${ROUTES.authorization}?${query}`, headers: {} }
    await pass(passedRequest(issuer, passed, request), response)
  }

  const register = async (request: IncomingMessage, response: ServerResponse, body: string) => {
    if (!isJson(request.headers['content-type'])) return sendRefusal(response, NOT_JSON)
    const asked = clientRegistration(parsedJson(body))
    if ('error' in asked) return sendJson(response, 400, { error: asked.error, error_description: asked.description })
    sendJson(response, 201, registrationResponse(asked, await registerClient(pool, asked)))
  }

  /** The token and the revocation endpoint. */
  const passForm = (path: string) => async (request: IncomingMessage, response: ServerResponse, body: string) => {
    const { authorization, 'content-type': contentType } = request.headers
    const form = tokenRequest(new URLSearchParams(body), gatewayPublicUrl)
    const refreshToken = form.get('grant_type') === 'refresh_token' ? form.get('refresh_token') : null
    // Check this before the client: an unknown refresh token requires a new login.
    if (refreshToken && !(await grants.findRefreshToken(refreshToken)))
      return sendJson(response, 400, { error: 'invalid_grant', error_description: 'Unknown refresh token.' })
    // Some libraries authenticate public clients with their id and an empty secret.
    const publicClient = clientWithEmptySecret(authorization)
    if (publicClient !== undefined && !form.has('client_id')) form.set('client_id', publicClient)
    const isForm = /^application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType ?? '')
    const headers = {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : contentType,
      ...(publicClient === undefined && authorization !== undefined && { authorization }),
    }
    const passed = { method: 'POST', path, headers, body: isForm ? form.toString() : body }
    await pass(passedRequest(issuer, passed, request), response)
  }

  const metadata = (_request: IncomingMessage, response: ServerResponse) =>
    sendJson(response, 200, authorizationServerMetadata(issuer, { hasDocuments: documents?.isOffered() === true }), {
      'cache-control': 'max-age=60',
    })

  const jwks = async (_request: IncomingMessage, response: ServerResponse) =>
    sendJson(response, 200, await keys.published(), { 'cache-control': 'max-age=60' })

  const endpoints: Record<string, Endpoint> = {
    [ISSUER_PATH + ROUTES.authorization]: {
      path: ROUTES.authorization,
      limit: 'authorizeClient',
      method: 'GET',
      respond: authorize,
    },
    [ISSUER_PATH + ROUTES.token]: {
      path: ROUTES.token,
      limit: 'clientToken',
      method: 'POST',
      respond: passForm(ROUTES.token),
    },
    [ISSUER_PATH + ROUTES.revocation]: {
      path: ROUTES.revocation,
      limit: 'revokeToken',
      method: 'POST',
      respond: passForm(ROUTES.revocation),
    },
    [ISSUER_PATH + REGISTRATION_PATH]: {
      path: REGISTRATION_PATH,
      limit: 'registerClient',
      method: 'POST',
      respond: register,
    },
    [ISSUER_PATH + JWKS_PATH]: { path: JWKS_PATH, method: 'GET', respond: jwks },
    // RFC 8414 §3.1 inserts the well-known path; some clients append it, or look at the bare host name.
    [METADATA_PATH + ISSUER_PATH]: { path: METADATA_PATH, method: 'GET', respond: metadata },
    [ISSUER_PATH + METADATA_PATH]: { path: METADATA_PATH, method: 'GET', respond: metadata },
    [METADATA_PATH]: { path: METADATA_PATH, method: 'GET', respond: metadata },
  }

  const housekeeping = startHousekeeping(pool, grants, revocations)

  return {
    async handle(request, response) {
      const endpoint = endpoints[(request.url ?? '').split('?')[0] ?? '']
      if (!endpoint) return false
      const isPage = endpoint.path === ROUTES.authorization
      if (!isPage) openToAllOrigins(response)
      try {
        const refusal = await refusalOf(request, endpoint, pool)
        if (refusal?.status === 429 && isPage) redirect(response, webUrl + errorPage('too_many'), refusal.headers)
        else if (refusal) sendRefusal(response, refusal)
        else await respond(endpoint, request, response)
      } catch (error) {
        log.error('oauth.failed', causeOf(error))
        if (response.headersSent) response.destroy()
        else if (isPage) redirect(response, webUrl + errorPage('server_error'))
        else sendRefusal(response, UNAVAILABLE)
      }
      return true
    },

    async decide(userId, asked, made) {
      const request = requests.open(new URLSearchParams(asked))
      const clientId = request?.get('client_id') ?? ''
      const redirectUri = request?.get('redirect_uri') ?? ''
      const client = await findClient(pool, clientId)
      // The operator, or the document that describes the client, may have changed it since the page was opened.
      if (!request || !client || client.isDisabled || !isRegisteredRedirect(client.redirectUris, redirectUri))
        return undefined
      const respondWith = (parameters: Record<string, string>) =>
        authorizationResponse(redirectUri, { ...parameters, state: request.get('state'), iss: issuer })
      if (!made.allow) return respondWith({ error: 'access_denied' })
      const { spaceId, scopes, userAgent } = made
      const resource = request.get('resource') ?? ''
      const grantId = await grants.add({ clientId, userId, spaceId, resource, scope: scopes.join(' '), userAgent })
      const code = randomBytes(32).toString('base64url')
      await grants.addCode(code, grantId, redirectUri, request.get('code_challenge') ?? '')
      return respondWith({ code })
    },

    grants: (userId) => grants.list(userId),

    async revoke(userId, which) {
      if (which === 'all') await grants.endAll(userId)
      else await grants.end(which.grantId, userId)
      await revocations.deliverNow()
    },

    client: (clientId) => findClient(pool, clientId),
    deliverRevocations: () => revocations.deliverNow(),

    stop() {
      housekeeping.stop()
      revocations.stop()
    },
  }
}

interface Endpoint {
  readonly path: string
  /** Rate limit per network address across all processes. */
  readonly limit?: LimitedAction
  readonly method: 'GET' | 'POST'
  readonly respond: (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void> | void
}

/** Rejects a request before it is handled; also responds to CORS preflights. */
async function refusalOf(
  request: IncomingMessage,
  endpoint: Endpoint,
  pool: Pool,
): Promise<RefusedRequest | undefined> {
  const { method } = request
  const isPage = endpoint.path === ROUTES.authorization
  if (method === 'OPTIONS' && !isPage) return { status: 204, headers: {} }
  const isExpected = method === endpoint.method || (method === 'HEAD' && endpoint.method === 'GET' && !isPage)
  if (!isExpected) return { status: 405, headers: { allow: endpoint.method } }
  if (endpoint.limit === undefined) return undefined
  const seconds = await takeLimit(pool, endpoint.limit, { address: addressOf(webHeaders(request)) })
  if (seconds === 0) return undefined
  return {
    status: 429,
    headers: { 'retry-after': String(seconds) },
    body: {
      error: 'temporarily_unavailable',
      error_description: limitRefusal(endpoint.limit, seconds),
    },
  }
}

const NOT_JSON: RefusedRequest = {
  status: 415,
  headers: {},
  body: {
    error: 'invalid_client_metadata',
    error_description: 'Send the body as JSON, with the header Content-Type: application/json.',
  },
}

function sendRefusal(response: ServerResponse, { status, body, headers }: RefusedRequest): void {
  if (body) sendJson(response, status, body, { 'cache-control': 'no-store', ...headers })
  else response.writeHead(status, headers).end()
}

async function respond(endpoint: Endpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = endpoint.method === 'POST' ? await readBody(request) : ''
  if (body === undefined) {
    const error = { error: 'invalid_request', error_description: 'The body is too large.' }
    return sendJson(response, 413, error, { 'cache-control': 'no-store', connection: 'close' })
  }
  await endpoint.respond(request, response, body)
}

/** The library takes its keys at construction, so it is recreated when they change. Its state is in the database. */
function protocolOf<T>(make: (keys: Keys) => T): (keys: Keys) => T {
  let made: { keys: Keys; value: T } | undefined
  return (keys) => {
    if (made?.keys !== keys) made = { keys, value: make(keys) }
    return made.value
  }
}

/** A response to the client, in the browser ([RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2), RFC 9207). */
function authorizationResponse(redirectUri: string, parameters: Record<string, string | null>): string {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries(parameters)) {
    url.searchParams.delete(name)
    if (value !== null) url.searchParams.set(name, value)
  }
  return url.href
}

/** The client named by a Basic authorization without a secret, which public clients of some libraries send. */
function clientWithEmptySecret(authorization: string | undefined): string | undefined {
  const [, encoded] = /^basic ([\w+/]+=*)$/i.exec(authorization ?? '') ?? []
  const [, name] = /^([^:]+):$/.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? []
  try {
    return name === undefined ? undefined : decodeURIComponent(name)
  } catch {
    return undefined
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const webHeaders = ({ headers }: IncomingMessage): Headers =>
  new Headers(
    Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
  )

async function isSpace(pool: Pool, spaceId: string): Promise<boolean> {
  const { rowCount } = await pool.query(`select from ${SCHEMA}.organization where id::text = $1`, [spaceId])
  return rowCount !== 0
}
