import type { ProblemCode } from '@nmg/contract'
import type { Failure } from '../platform/failure.ts'
import type { ErrorResponse } from '../platform/problems.ts'
import type { RpcRequest } from '../proxy/policy.ts'

/**
 * HTTP status and JSON-RPC error code of each failure, for MCP clients. Clients react to the status: on 400, 404 and 405 they try another
 * revision of the protocol or open a new session, on 401 they log in. So these are used only where that helps, and failures that need a
 * user's action are 403.
 *
 * Negative codes are defined by JSON-RPC and MCP; positive ones are the gateway's own, and `data.reason` has the same meaning as text.
 */
const rpcErrors = {
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

/** Clients choose the revision of the protocol by the response to this method. */
const DISCOVER = 'server/discover'

export interface ErrorDetails {
  readonly requestId: string
  /** Page where the user can resolve the failure. */
  readonly connectUrl: string | undefined
  /** Value of `WWW-Authenticate`. */
  readonly challenge: string | undefined
}

/** The response to a failed request, as a JSON-RPC error. */
export function rpcError(failure: Failure, rpc: RpcRequest | undefined, details: ErrorDetails): ErrorResponse {
  const { code } = rpcErrors[failure.code]
  const status = failure.status ?? rpcErrors[failure.code].status
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
  // Clients that get 429 for `server/discover` fall back to the older protocol permanently, so they get 503.
  const isProbe = status === 429 && rpc?.method === DISCOVER
  return rpcResponse(isProbe ? 503 : status, rpc, 'error', error, [
    ...(retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)]),
    ...(failure.code === 'unsupported_encoding' ? ['accept-encoding', 'identity'] : []),
    ...(details.challenge === undefined ? [] : ['www-authenticate', details.challenge]),
  ])
}

/** Key of the input request; clients of 2026-07-28 use it in `inputResponses`. */
export const CONNECT_INPUT = 'connect_notion'

/**
 * URL elicitation: asks a client to open the page where its user connects Notion. Up to revision 2025-11-25 this is an error
 * (`URLElicitationRequiredError`), since 2026-07-28 a result of type `input_required`.
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
    return rpcResponse(200, rpc, 'result', { resultType: 'input_required', inputRequests })
  }
  const data = { elicitations: [{ ...params, elicitationId }], reason: failure.code, connectUrl }
  return rpcResponse(200, rpc, 'error', { code: -32042, message: failure.message, data })
}

function rpcResponse(
  status: number,
  rpc: RpcRequest | undefined,
  member: 'error' | 'result',
  value: object,
  headers: readonly string[] = [],
): ErrorResponse {
  const id = rpc && echoedId(rpc)
  // Echoes the ID as the original JSON text, because parsing a large number would lose digits.
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

/** The ID for the response. A message without a method is a response itself, whose ID is the server's. Clients reject a null ID, so it is omitted. */
function echoedId({ method, id }: RpcRequest): string | undefined {
  return method !== undefined && id !== undefined && /^["\d-]/.test(id) ? id : undefined
}
