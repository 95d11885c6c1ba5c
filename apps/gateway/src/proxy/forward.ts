import { Failure } from '../platform/failure.ts'
import { missingScopes } from '../connections/oauth/scope.ts'
import type { RequestStepUp } from '../connections/step-up.ts'
import type { AccessTokens } from '../refresh/ports.ts'
import type { McpSessions, SessionOwner } from './mcp-sessions.ts'
import { interrupted } from './outcome.ts'
import type { ResponseHead, ResponseSink, Upstream, UpstreamExchange, UpstreamRequest } from './upstream.ts'

export interface ForwardDependencies {
  readonly accessTokens: AccessTokens
  readonly sessions: McpSessions
  readonly upstream: Upstream
  /** Left out where the operator has fixed the scope. */
  readonly requestStepUp?: RequestStepUp
  /** The page on which a user connects this space to Notion again. */
  readonly connectUrl: (spaceId: string) => string
}

/** An authorized call: this user, in this space. */
export interface Call {
  readonly caller: SessionOwner
  /** The MCP session that the caller wants to use; checked here. */
  readonly sessionId: string | undefined
  readonly request: UpstreamRequest
}

/** The request that the call belongs to, as far as forwarding concerns it. */
export interface InFlightCall {
  /** @throws when the request was aborted or its caller has gone. */
  assertOngoing(): void
  /** The exchange to cancel when the request is aborted; undefined while nothing that matters is under way upstream. */
  upstream: UpstreamExchange | undefined
}

/** The highest status that HTTP has ([RFC 9110 §15](https://www.rfc-editor.org/rfc/rfc9110#section-15)); clients fail on others. */
const LAST_STATUS = 599

/** An upper limit, should other replicas bring new tokens all the time. */
const MAX_REJECTED_TOKENS = 8

/**
 * Forwards a call to the upstream MCP server with the space's access token, and relays the response as it arrives.
 *
 * A request that upstream refused for its token (401) is sent again with a newer one. Nothing else is ever sent twice: a tool may have run
 * although its response was lost.
 *
 * @throws {Failure}
 */
export async function forward(
  deps: ForwardDependencies,
  { caller, sessionId, request }: Call,
  sink: ResponseSink,
  inFlight: InFlightCall,
): Promise<void> {
  const { accessTokens, sessions, upstream } = deps
  const { spaceId } = caller
  if (sessionId !== undefined) assertOwner(await sessions.owner(sessionId), caller)

  let access = await accessTokens.current(spaceId)
  let exchange = start()
  let head = await exchange.head()
  for (let rejected = 1; head.status === 401; rejected++) {
    discard()
    if (rejected >= MAX_REJECTED_TOKENS) throw everyTokenRejected()
    access = await accessTokens.refreshAfter401(spaceId, access)
    exchange = start()
    head = await exchange.head()
  }
  if (access.isUnderSuspicion && head.status < 300) void accessTokens.reportAccepted(spaceId)

  const failure = notRelayable(head) ?? (await stepUp(deps, spaceId, head))
  if (failure) {
    discard()
    throw failure
  }
  await rememberSession(sessions, caller, sessionId, request, head)
  await exchange.relay(sink)

  function start(): UpstreamExchange {
    inFlight.assertOngoing()
    return (inFlight.upstream = upstream.send(request, access.token))
  }
  function discard(): void {
    inFlight.upstream = undefined
    exchange.discard()
  }
}

/** Upstream sees one token for the whole space and cannot tell our callers apart, so this is the only check. */
function assertOwner(owner: SessionOwner | undefined, caller: SessionOwner): void {
  if (owner?.spaceId === caller.spaceId && owner.userId === caller.userId && owner.client === caller.client) return
  throw new Failure('unknown_session', 'This MCP session does not exist, or is not yours. Initialize a new one.')
}

const everyTokenRejected = () =>
  new Failure('upstream_refuses_token', 'Notion refuses every access token of this space. Try again in a minute.', {
    retryAfterSeconds: 60,
  })

function notRelayable({ status }: ResponseHead): Failure | undefined {
  if (status > LAST_STATUS) return interrupted('Notion answered with a status that HTTP does not have.', 502)
  if (status < 300 || status >= 400) return undefined
  return interrupted(
    'Notion answered with a redirect, which the gateway does not follow; its operator has to check NOTION_MCP_SERVER_URL.',
    502,
  )
}

/** Asks the user for more scopes where that can help; otherwise the caller gets upstream's 403 as it is. */
async function stepUp(
  { requestStepUp, connectUrl }: ForwardDependencies,
  spaceId: string,
  { status, headers }: ResponseHead,
): Promise<Failure | undefined> {
  if (status !== 403 || headers.challenge === undefined || !requestStepUp) return undefined
  const scopes = missingScopes(headers.challenge)
  if (scopes === null || !(await requestStepUp(spaceId, scopes))) return undefined
  return new Failure(
    'consent_required',
    `Notion asks for more permissions than this space's connection has. Reconnect Notion to grant them: ${connectUrl(spaceId)}`,
  )
}

/** A new session is durable before its id reaches the client, so that any replica knows it. */
async function rememberSession(
  sessions: McpSessions,
  caller: SessionOwner,
  sessionId: string | undefined,
  { method }: UpstreamRequest,
  { status, headers }: ResponseHead,
): Promise<void> {
  if (headers.sessionId !== undefined && headers.sessionId !== sessionId) {
    await sessions.remember(headers.sessionId, caller)
  } else if (method === 'DELETE' && sessionId !== undefined && status < 300) {
    // A row that stays costs nothing but its space: upstream no longer knows the session.
    sessions.forget(sessionId).catch(() => {})
  }
}
