import { setTimeout as delay } from 'node:timers/promises'
import { takeTokenFault } from '../faults.ts'
import type { TokenFault } from '../options.ts'
import { isApplied, applyResponseOptions, type TokenResponseOptions, useUp } from '../response-options.ts'
import type { RecordedTokenRequest } from '../recorded-requests.ts'
import { type State, timestamp } from '../state.ts'
import { authenticateClient, readTokenForm, type TokenForm } from './client-authentication.ts'
import type { AuthMethod, Client } from './clients.ts'
import { exchangeAssertion } from './identity-assertion.ts'
import { JWT_BEARER } from './metadata.ts'
import { jsonResponse, NO_STORE, OAuthError, oauthErrorResponse } from './oauth-error.ts'
import { requireResources, exchangeCode, refresh, revoke } from './token.ts'

/** The outcome of a request: a response, with `cut` only its first half, or a closed socket. */
export type Outcome = { response: Response; cut?: boolean } | 'socket-destroyed'

/** `POST /token`: exchange, refresh, revocation, with the configured faults. */
export async function tokenEndpoint(state: State, request: Request): Promise<Outcome> {
  const record: RecordedTokenRequest = { at: timestamp(state), grantType: 'none' }
  state.recorded.tokenRequests.push(record)
  const outcome = await respondWithFaults(state, request, record)
  if (outcome !== 'socket-destroyed') record.status = outcome.response.status
  return outcome
}

async function respondWithFaults(state: State, request: Request, record: RecordedTokenRequest): Promise<Outcome> {
  let form: TokenForm
  try {
    form = await readTokenForm(request)
  } catch (error) {
    return { response: errorResponse(error, record) }
  }
  record.grantType = grantTypeOf(form)
  const claimed = form.get('client_id')
  if (claimed !== undefined) record.clientId = claimed

  const fault = takeTokenFault(state.options, record.grantType)
  if (fault) record.fault = fault.kind
  switch (fault?.kind) {
    case 'rate-limited':
    case 'server-error':
    case 'html':
    case 'refused':
      return { response: faultResponse(fault) }
    case 'lost-request':
      return 'socket-destroyed'
    case 'slow':
      await delay(fault.delayMs)
      break
    default:
  }

  const response = await respond(state, request, form, record)
  switch (fault?.kind) {
    case 'rate-limited-after':
    case 'server-error-after':
    case 'html-after':
      return { response: faultResponse(fault) }
    case 'not-json':
      return { response: new Response((await response.text()).replace(/"?\}$/, ','), response) }
    case 'lost-response':
      return 'socket-destroyed'
    case 'cut-body':
      return { response, cut: true }
    case 'slow-after':
      await delay(fault.delayMs)
      break
    default:
  }
  return { response }
}

/** `revocation` is RFC 7009 at the token endpoint: a `token` and no `grant_type`. */
function grantTypeOf(form: TokenForm): string {
  return form.get('grant_type') ?? (form.get('token') ? 'revocation' : 'none')
}

async function respond(
  state: State,
  request: Request,
  form: TokenForm,
  record: RecordedTokenRequest,
): Promise<Response> {
  const isRevocation = record.grantType === 'revocation'
  const kind = isRevocation ? 'revocationResponse' : 'tokenResponse'
  try {
    const authenticated = await authenticateClient(state, request, form)
    record.clientId = authenticated.client.id
    const applied = isApplied(responseOptionsFor(state, kind, record))
    return await withOptions(state, kind, record, execute(state, authenticated, form, record, applied))
  } catch (error) {
    return withOptions(state, isRevocation ? kind : 'tokenRefusal', record, errorResponse(error, record))
  }
}

function execute(
  state: State,
  authenticated: { client: Client; method: AuthMethod },
  form: TokenForm,
  record: RecordedTokenRequest,
  applied: boolean,
): Response {
  const { client } = authenticated
  if (record.grantType === 'revocation') {
    if (applied) revoke(state, client, form, record)
    return new Response('', { status: 200 })
  }
  checkRequest(state, client, form, record)
  switch (record.grantType) {
    case 'authorization_code':
      return jsonResponse(exchangeCode(state, client, form, record, applied), 200, NO_STORE)
    case 'refresh_token':
      return jsonResponse(refresh(state, client, form, record, applied), 200, NO_STORE)
    default:
      return jsonResponse(exchangeAssertion(state, authenticated, form, record, applied), 200, NO_STORE)
  }
}

/** The checks before the grant is looked up. */
function checkRequest(state: State, client: Client, form: TokenForm, { grantType }: RecordedTokenRequest): void {
  const isAssertion = grantType === JWT_BEARER && state.profile !== 'notion-2026-01'
  if (!isAssertion && grantType !== 'authorization_code' && grantType !== 'refresh_token') {
    throw new OAuthError('unsupported_grant_type', 'Grant type not supported')
  }
  const mayRefresh = grantType === 'refresh_token' && client.grantTypes.includes('authorization_code')
  if (!isAssertion && !mayRefresh && !client.grantTypes.includes(grantType)) {
    throw new OAuthError('unauthorized_client', 'The client is not registered for this grant type')
  }
  if (form.resources.length > 0 && state.options.refuseResource.some((kind) => kind === grantType)) {
    throw new OAuthError('invalid_target', 'The resource parameter is not accepted')
  }
  requireResources(state, form)
}

type ResponseKind = 'tokenResponse' | 'tokenRefusal' | 'revocationResponse'

function responseOptionsFor(state: State, kind: ResponseKind, { grantType }: RecordedTokenRequest) {
  const options: TokenResponseOptions | null = state.options[kind]
  const { on = 'any' } = options ?? {}
  return options && (on === 'any' || on === grantType) ? options : undefined
}

function withOptions(
  state: State,
  kind: ResponseKind,
  record: RecordedTokenRequest,
  usual: Response,
): Promise<Response> {
  const options = responseOptionsFor(state, kind, record)
  if (options) useUp(state.options, kind)
  return applyResponseOptions(usual, options)
}

function errorResponse(error: unknown, record: RecordedTokenRequest): Response {
  if (!(error instanceof OAuthError)) throw error
  record.outcome = { ...record.outcome, error: error.error, description: error.message }
  return oauthErrorResponse(error)
}

const HTML = '<!doctype html><title>Just a moment</title><h1>Something went wrong on our side</h1>\n'

function faultResponse(fault: TokenFault): Response {
  switch (fault.kind) {
    case 'rate-limited':
    case 'rate-limited-after':
      return oauthErrorResponse(
        new OAuthError(
          'temporarily_unavailable',
          'Token issuance is temporarily unavailable; retry shortly',
          fault.status ?? 429,
          fault.retryAfterSeconds === null ? {} : { 'retry-after': String(fault.retryAfterSeconds) },
        ),
      )
    case 'refused':
      return oauthErrorResponse(new OAuthError(fault.error, fault.description, fault.status ?? 400))
    case 'html':
    case 'html-after':
      return new Response(HTML, {
        status: fault.status ?? 200,
        headers: { 'content-type': 'text/html; charset=UTF-8' },
      })
    default:
      return new Response('Internal Server Error', { status: fault.status ?? 500 })
  }
}
