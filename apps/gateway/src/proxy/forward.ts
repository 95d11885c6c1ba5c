import type { ResponseHeaders } from './headers.ts'
import { missingScopes } from '../connections/oauth/scope.ts'
import { Failure } from '../platform/failure.ts'
import type { Access, AccessTokens } from '../refresh/ports.ts'
import type { McpSessions, SessionOwner } from './mcp-sessions.ts'
import type { Upstream, UpstreamExchange, UpstreamReceiver, UpstreamRequest } from './upstream.ts'
import { interrupted } from './outcome.ts'
import type { RequestStepUp } from '../connections/step-up.ts'

export interface ForwardCallDependencies {
  readonly accessTokens: AccessTokens
  readonly sessions: McpSessions
  readonly upstream: Upstream
  /** Left out where nothing but what was asked for may be asked for. */
  readonly requestStepUp?: RequestStepUp
  /** Where a person connects this space to Notion again. */
  readonly connectUrl: (spaceId: string) => string
}

/** A call that was found to be allowed: this person, in this space. */
export interface Call {
  readonly caller: SessionOwner
  /** The MCP session that the caller wants to use; checked here. */
  readonly sessionId: string | undefined
  readonly request: UpstreamRequest
}

/** Where the answer goes. `failed` comes at most once, and last; after `answered` it means that the answer broke off. */
export interface AnswerReceiver {
  answered(status: number, headers: ResponseHeaders): void
  /** False when it can take no more for now; `resume` then asks for the rest. */
  received(bytes: Buffer): boolean
  ended(): void
  failed(reason: unknown): void
}

export interface ForwardedCall {
  /** Whether the request may have reached upstream and was not refused there for its token. */
  readonly mayHaveLeft: boolean
  resume(): void
  /** The caller has gone. */
  cancel(): void
}

/**
 * Forwards a call to the upstream MCP server with the space's access token, and the answer back as it comes.
 *
 * When upstream refuses the token (401), the call is sent once more with a newer one. Nothing else is ever sent twice: a tool call may
 * have been carried out although its answer was lost.
 *
 * Runs without a single promise when the token and the session are in memory. An async function would be shorter, but this is the
 * path of every call.
 */
export function forwardCall(deps: ForwardCallDependencies, call: Call, answer: AnswerReceiver): ForwardedCall {
  const forwarding = new Forwarding(deps, call, answer)
  forwarding.begin()
  return forwarding
}

/** Clients reject others, or fail on them ([RFC 9110 §15](https://www.rfc-editor.org/rfc/rfc9110#section-15)). */
const LAST_STATUS = 599

/** A last bound, should other replicas bring new tokens all the time. */
const MOST_REFUSALS = 8

class Forwarding implements ForwardedCall, UpstreamReceiver {
  readonly #deps: ForwardCallDependencies
  readonly #call: Call
  readonly #answer: AnswerReceiver
  #exchange: UpstreamExchange | undefined
  #access: Access | undefined
  #refusals = 0
  #isOver = false

  constructor(deps: ForwardCallDependencies, call: Call, answer: AnswerReceiver) {
    this.#deps = deps
    this.#call = call
    this.#answer = answer
  }

  begin(): void {
    const { sessionId } = this.#call
    if (sessionId === undefined) this.#attempt(this.#authorize)
    else this.#attempt(() => this.#then(this.#deps.sessions.owner(sessionId), this.#enter))
  }

  get mayHaveLeft(): boolean {
    return this.#exchange?.mayHaveLeft ?? false
  }

  resume(): void {
    this.#exchange?.resume()
  }

  cancel(): void {
    this.#isOver = true
    this.#exchange?.cancel()
  }

  #enter(owner: SessionOwner | undefined): void {
    const { caller } = this.#call
    // Upstream sees one token for the whole space and cannot tell our callers apart, so this is the only check there is.
    if (
      owner === undefined ||
      owner.spaceId !== caller.spaceId ||
      owner.userId !== caller.userId ||
      owner.client !== caller.client
    ) {
      throw new Failure('unknown_session', 'This MCP session does not exist, or is not yours. Initialize a new one.')
    }
    this.#authorize()
  }

  #authorize(): void {
    this.#then(this.#deps.accessTokens.current(this.#call.caller.spaceId), this.#send)
  }

  #send(access: Access): void {
    this.#access = access
    this.#exchange = this.#deps.upstream.send(this.#call.request, access.token, this)
  }

  answered(status: number, headers: ResponseHeaders): boolean {
    if (status === 401) {
      this.#refused()
      return true
    }
    if (this.#access?.isUnderSuspicion && status < 300) {
      void this.#deps.accessTokens.reportAccepted(this.#call.caller.spaceId)
    }
    if (status > LAST_STATUS) {
      this.#reject(interrupted('Notion answered with a status that HTTP does not have.', 502))
      return true
    }
    if (status >= 300 && status < 400) {
      this.#reject(
        interrupted(
          'Notion answered with a redirect, which the gateway does not follow; its operator has to check NOTION_MCP_SERVER_URL.',
          502,
        ),
      )
      return true
    }
    if (status === 403 && headers.challenge !== undefined && this.#deps.requestStepUp) {
      const scope = missingScopes(headers.challenge)
      if (scope !== null) {
        this.#stepUp(scope, this.#deps.requestStepUp, headers)
        return false
      }
    }
    return this.#pass(status, headers)
  }

  /** @returns false when the caller gets it later, which then goes on by itself. */
  #pass(status: number, headers: ResponseHeaders): boolean {
    const { sessionId, request } = this.#call
    if (headers.sessionId !== undefined && headers.sessionId !== sessionId) {
      const pass = (): void => {
        this.#answer.answered(status, headers)
        this.#exchange?.resume()
      }
      this.#attempt(() => this.#then(this.#deps.sessions.remember(headers.sessionId ?? '', this.#call.caller), pass))
      return false
    }
    if (request.method === 'DELETE' && sessionId !== undefined && status < 300) this.#forget(sessionId)
    this.#answer.answered(status, headers)
    return true
  }

  received(bytes: Buffer): boolean {
    return this.#answer.received(bytes)
  }

  ended(): void {
    this.#isOver = true
    this.#answer.ended()
  }

  broken(failure: Failure): void {
    this.#fail(failure)
  }

  #refused(): void {
    const { spaceId } = this.#call.caller
    this.#exchange?.discard()
    this.#exchange = undefined
    const access = this.#access as Access
    this.#refusals += 1
    if (this.#refusals >= MOST_REFUSALS) {
      this.#fail(
        new Failure(
          'upstream_refuses_token',
          'Notion refuses every access token of this space. Try again in a minute.',
          { retryAfterSeconds: 60 },
        ),
      )
      return
    }
    this.#attempt(() => this.#then(this.#deps.accessTokens.refreshAfter401(spaceId, access), this.#send))
  }

  /** Asks the person for more where that can help; else the caller gets upstream's refusal as it is. */
  #stepUp(scope: string, requestStepUp: RequestStepUp, headers: ResponseHeaders): void {
    const { spaceId } = this.#call.caller
    const decide = (isToBeAsked: boolean): void => {
      if (isToBeAsked) {
        const link = this.#deps.connectUrl(spaceId)
        this.#reject(
          new Failure(
            'consent_required',
            `Notion asks for more permissions than this space's connection has. Reconnect Notion to grant them: ${link}`,
          ),
        )
      } else if (this.#pass(403, headers)) {
        this.#exchange?.resume()
      }
    }
    this.#attempt(() => this.#then(requestStepUp(spaceId, scope), decide))
  }

  #reject(failure: Failure): void {
    this.#exchange?.discard()
    this.#exchange = undefined
    this.#fail(failure)
  }

  /** A session that stays on record costs a row and nothing else: upstream does not know it any more. */
  #forget(sessionId: string): void {
    this.#deps.sessions.forget(sessionId).catch(() => {})
  }

  /** Goes on with `next` at once when the value is there, else when it comes, unless the caller has gone by then. */
  #then<T>(value: T | Promise<T>, next: (this: Forwarding, value: T) => void): void {
    if (value instanceof Promise)
      value.then(
        (late) => this.#attempt(() => next.call(this, late)),
        (reason: unknown) => this.#fail(reason),
      )
    else next.call(this, value)
  }

  #attempt(step: (this: Forwarding) => void): void {
    if (this.#isOver) return
    try {
      step.call(this)
    } catch (reason) {
      this.#fail(reason)
    }
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#exchange?.cancel()
    this.#answer.failed(reason)
  }
}
