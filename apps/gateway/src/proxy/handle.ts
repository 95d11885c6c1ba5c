import type { IncomingMessage } from 'node:http'
import { Failure } from '../platform/failure.ts'
import { assertPlainJson } from '../platform/json-body.ts'
import type { Admission } from './admission.ts'
import { isIdentifier, type McpTarget } from './endpoint.ts'
import { readEnvelope, type Envelope } from './envelope.ts'
import type { Exchange } from './exchange.ts'
import { type Call, forward, type ForwardDependencies } from './forward.ts'
import { type CallHeaders, callHeaders } from './headers.ts'
import type { ProxyCaller } from './policy.ts'
import { RequestBody } from './request-body.ts'
import { withoutUnusedSession } from './session-header.ts'
import type { ResponseSink } from './upstream.ts'

export interface HandleDependencies extends ForwardDependencies {
  /** @throws {Failure} that refuses the caller. */
  readonly authenticate: (req: IncomingMessage, target: McpTarget) => ProxyCaller | Promise<ProxyCaller>
  /** The largest request body that is accepted, in bytes. */
  readonly maxBodyBytes: number
}

/** What all requests share. */
export interface ProxyState {
  readonly admission: Admission
  /** No new streams, and no connection stays open. */
  readonly isDraining: boolean
  /** No request is accepted any longer. */
  readonly isClosed: boolean
}

type Method = 'POST' | 'GET' | 'DELETE'

/** The request of 2026-07-28 whose response is a stream that stays open; before that revision, it was GET. */
const LISTEN = 'subscriptions/listen'

/** Handles one request for an MCP endpoint, from its head to the last byte of the response. Never rejects. */
export async function handle(deps: HandleDependencies, state: ProxyState, exchange: Exchange): Promise<void> {
  try {
    if (state.isDraining) exchange.res.shouldKeepAlive = false
    const method = methodOf(exchange.req)
    if (state.isClosed) throw stopping()

    const caller = await deps.authenticate(exchange.req, exchange.target)
    exchange.assertOngoing()
    exchange.caller = caller
    startPolicy(exchange, caller)

    const headers = callHeaders(exchange.req.rawHeaders)
    assertSingle(headers)
    if (method === 'POST') {
      exchange.envelope = envelopeOf(await readBody(deps, state.admission, exchange, headers))
      exchange.assertOngoing()
    }

    const { call, sink } = callOf(exchange, caller, method, headers)
    if (exchange.isStream && state.isDraining) throw stopping()

    exchange.permit = state.admission.enter(call.caller.spaceId, exchange.isStream)
    await exchange.permit.admitted
    exchange.assertOngoing()
    exchange.forwarded = call.request
    await forward(deps, call, sink, exchange)
  } catch (reason) {
    if (!exchange.isOver) exchange.fail(reason)
  }
}

export function stopping(): Failure {
  return new Failure('overloaded', 'This gateway is about to stop. Try again.', { retryAfterSeconds: 1 })
}

function methodOf({ method }: IncomingMessage): Method {
  if (method === 'POST' || method === 'GET' || method === 'DELETE') return method
  throw new Failure('method_not_allowed', 'The MCP endpoint takes POST, GET and DELETE.')
}

function startPolicy(exchange: Exchange, { policy }: ProxyCaller): void {
  if (!policy) return
  exchange.spaceId = policy.spaceId
  exchange.userId = policy.userId
  policy.onStart((failure) => exchange.abort(failure))
}

function assertSingle({ repeated }: CallHeaders): void {
  if (repeated === undefined) return
  throw new Failure('invalid_request', `The header ${repeated} is there more than once. Send one.`)
}

/** @throws {Failure} `unsupported_encoding`, `invalid_json`, `too_large`, `overloaded`. */
function readBody(
  deps: HandleDependencies,
  admission: Admission,
  exchange: Exchange,
  headers: CallHeaders,
): Promise<Buffer> {
  assertPlainJson(headers.contentEncoding, headers.contentType)
  const policy = exchange.caller?.policy
  const body = new RequestBody(
    admission,
    policy?.maxBodyBytes ?? deps.maxBodyBytes,
    // A client's user, or the space that an application names in a header: the message itself is not known yet.
    policy?.userId ?? headers.spaceId,
  )
  exchange.body = body
  return body.read(exchange.req)
}

function envelopeOf(body: Buffer): Envelope {
  const envelope = readEnvelope(body)
  if (envelope.refused !== undefined) throw new Failure(envelope.refused, envelope.detail)
  return envelope
}

/** The call as it is forwarded, and where its response goes: both as the caller's policy allows. */
function callOf(
  exchange: Exchange,
  caller: ProxyCaller,
  method: Method,
  given: CallHeaders,
): { call: Call; sink: ResponseSink } {
  const { policy } = caller
  const { envelope } = exchange
  const body = envelope?.forward
  const headers = withoutUnusedSession(given, envelope?.method, body)
  const spaceId = spaceOf(exchange, caller, headers)
  const userId = agreed(
    caller.userId || undefined,
    envelope?.userId,
    'X-User-ID and meta.user_id name different persons.',
  )
  assertIdentifiers(spaceId, userId)
  exchange.spaceId = spaceId
  exchange.userId = userId
  exchange.isStream = method === 'GET' || envelope?.method === LISTEN

  const decision = policy?.onRequest({
    headers: headers.forward,
    body,
    rpcMethod: envelope?.method,
    isStream: exchange.isStream,
    isResumption: method === 'GET',
  })
  const call = {
    caller: { spaceId, userId: userId ?? '', client: policy?.client },
    sessionId: headers.sessionId,
    request: { method, headers: decision?.headers ?? headers.forward, body },
  }
  return { call, sink: decision?.transformResponse(exchange.writer) ?? exchange.writer }
}

/** @throws {Failure} `forbidden_space` when two sources name different spaces, `missing_space` when none names one. */
function spaceOf({ envelope, target }: Exchange, { policy }: ProxyCaller, { spaceId }: CallHeaders): string {
  const space = agreed(
    agreed(spaceId || undefined, envelope?.spaceId, 'X-Space-ID and meta.space_id name different spaces.'),
    policy?.spaceId ?? target.spaceId,
    'The message and the address, or the access, are for different spaces.',
  )
  if (space !== undefined) return space
  throw new Failure(
    'missing_space',
    'Missing space_id. Name the space in the header X-Space-ID, or in a message as meta.space_id.',
  )
}

/** The one value that both give; either may give none. */
function agreed(one: string | undefined, other: string | undefined, disagreement: string): string | undefined {
  if (one !== undefined && other !== undefined && one !== other) throw new Failure('forbidden_space', disagreement)
  return one ?? other
}

function assertIdentifiers(spaceId: string, userId: string | undefined): void {
  if (isIdentifier(spaceId) && (userId === undefined || isIdentifier(userId))) return
  throw new Failure(
    'invalid_request',
    'An id of a space or person has 1 to 200 characters, none of them a control character.',
  )
}
