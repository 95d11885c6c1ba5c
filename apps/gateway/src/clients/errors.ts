import type { ProblemCode } from '@nmg/contract'
import type { Failure } from '../platform/failure.ts'
import type { ErrorResponse } from '../platform/problems.ts'
import type { RpcRequest } from '../proxy/policy.ts'

/**
 * How the gateway's own failures are told to MCP clients. The status decides what a client does next: on 400, 404 and 405 it tries another
 * revision of the protocol or begins a new session, on 401 it logs in, so these stand only where that helps. What a person has to mend is 403.
 *
 * Codes below zero are the protocol's own; ours are positive, and `data.reason` says the same in a word.
 */
const answers = {
  invalid_json: { status: 400, code: -32700 },
  invalid_request: { status: 400, code: -32600 },
  missing_space: { status: 400, code: -32600 },
  unauthenticated: { status: 401, code: 1001 },
  insufficient_scope: { status: 403, code: 1002 },
  forbidden_space: { status: 403, code: 1003 },
  forbidden_origin: { status: 403, code: 1004 },
  not_connected: { status: 403, code: 1011 },
  reconnect_required: { status: 403, code: 1012 },
  consent_required: { status: 403, code: 1016 },
  unknown_session: { status: 404, code: 1013 },
  method_not_allowed: { status: 405, code: 1014 },
  not_found: { status: 404, code: 1015 },
  too_large: { status: 413, code: 1021 },
  unsupported_encoding: { status: 415, code: 1024 },
  rate_limited: { status: 429, code: 1022 },
  overloaded: { status: 503, code: 1023 },
  upstream_unreachable: { status: 502, code: 1031 },
  upstream_timeout: { status: 504, code: 1032 },
  outcome_unknown: { status: 502, code: 1039 },
  refresh_unavailable: { status: 503, code: 1033 },
  store_unavailable: { status: 503, code: 1034 },
  authorization_unavailable: { status: 503, code: 1035 },
  authorization_refused: { status: 502, code: 1036 },
  invalid_return_path: { status: 400, code: -32600 },
  upstream_refuses_token: { status: 502, code: 1037 },
  credential_unreadable: { status: 503, code: 1038 },
  sealed_value_unreadable: { status: 500, code: 1041 },
  internal: { status: 500, code: 1042 },
} as const satisfies Record<ProblemCode, { status: number; code: number }>

/** The method whose answer tells a client which revision of the protocol to speak. */
const DISCOVER = 'server/discover'

export interface ErrorDetails {
  readonly requestId: string
  /** Where a person can mend it. */
  readonly connectUrl: string | undefined
  /** `WWW-Authenticate`. */
  readonly challenge: string | undefined
}

/** The failure as a JSON-RPC error, under a status by which clients do the right thing. */
export function rpcError(failure: Failure, rpc: RpcRequest | undefined, details: ErrorDetails): ErrorResponse {
  const { code } = answers[failure.code]
  const status = failure.status ?? answers[failure.code].status
  const { retryAfterSeconds } = failure
  const error = {
    code,
    message: failure.message,
    data: {
      reason: failure.code,
      connectUrl: details.connectUrl,
      retryAfterSeconds,
      requestId: details.requestId,
    },
  }
  // A client that is told 429 when it asks which protocol to speak takes the older one from then on.
  const isProbe = status === 429 && rpc?.method === DISCOVER
  return rpcAnswer(isProbe ? 503 : status, rpc, 'error', error, [
    ...(retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)]),
    ...(failure.code === 'unsupported_encoding' ? ['accept-encoding', 'identity'] : []),
    ...(details.challenge === undefined ? [] : ['www-authenticate', details.challenge]),
  ])
}

/** Under which key a client of 2026-07-28 hands back what its person answered. */
export const CONNECT_INPUT = 'connect_notion'

/**
 * Sends the person of a client that can open URLs to the page where Notion is connected: up to revision 2025-11-25 as an error that asks for
 * it, since 2026-07-28 as a result that says what is missing.
 */
export function urlElicitation(
  form: 'error' | 'result',
  failure: Failure,
  rpc: RpcRequest,
  connectUrl: string,
  elicitationId: string,
): ErrorResponse {
  const params = { mode: 'url', message: failure.message, url: connectUrl }
  if (form === 'result') {
    const inputRequests = { [CONNECT_INPUT]: { method: 'elicitation/create', params } }
    return rpcAnswer(200, rpc, 'result', { resultType: 'input_required', inputRequests })
  }
  const data = { elicitations: [{ ...params, elicitationId }], reason: failure.code, connectUrl }
  return rpcAnswer(200, rpc, 'error', { code: -32042, message: failure.message, data })
}

function rpcAnswer(
  status: number,
  rpc: RpcRequest | undefined,
  member: 'error' | 'result',
  value: object,
  headers: readonly string[] = [],
): ErrorResponse {
  const id = rpc && echoedId(rpc)
  // The id goes back as it came: as JSON text, not as a number that may have lost digits.
  const body = `{"jsonrpc":"2.0",${id === undefined ? '' : `"id":${id},`}"${member}":${JSON.stringify(value)}}`
  return {
    status,
    headers: [
      'content-type',
      'application/json',
      'cache-control',
      'no-store',
      ...headers,
      'content-length',
      String(Buffer.byteLength(body)),
    ],
    body,
  }
}

/** Without a method it is an answer to the server, and the id is the server's. Clients refuse an answer with the id null. */
function echoedId({ method, id }: RpcRequest): string | undefined {
  return method !== undefined && id !== undefined && /^["\d-]/.test(id) ? id : undefined
}
