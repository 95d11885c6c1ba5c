import 'server-only'
import { Problem } from '@nmg/contract'
import type { z } from 'zod'
import { boundedBody } from './bounded-body.ts'
import type { SpaceMember } from './membership.ts'
import { Failure } from './failure.ts'
import type { App } from './runtime.ts'

/** Longer than the gateway itself waits for an authorization server. */
const DEADLINE_MS = 40_000

/** Maximum size of the gateway's own responses in bytes; the largest is a page of history. */
const LONGEST_ANSWER = 8 * 1024 * 1024

/** A gateway that is being replaced behind a balancer is back, or another one is asked, after this time. */
const RETRY_AFTER_MS = 300

/** Statuses of a load balancer without an available gateway. */
const NOBODY_THERE = [502, 503, 504]

export interface GatewayCall {
  readonly method?: 'GET' | 'DELETE' | 'POST'
  /** Sent as JSON. */
  readonly body?: unknown
  readonly deadlineMs?: number
}

/**
 * Sends a request on behalf of this member and returns the response; null if the space was never connected.
 *
 * @throws {Failure} with the gateway's own problem; `gateway_unreachable`, `gateway_misconfigured`
 */
export async function askGateway<Schema extends z.ZodType>(
  app: App<'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  path: string,
  schema: Schema,
  { method = 'GET', body, deadlineMs = DEADLINE_MS }: GatewayCall = {},
): Promise<z.infer<Schema> | null> {
  const signal = AbortSignal.timeout(deadlineMs)
  const ask = () =>
    fetchGateway(app, member, path, {
      method,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  const response = boundedBody(method === 'GET' ? await onceMore(ask, signal) : await ask(), LONGEST_ANSWER)
  if (!response.ok) {
    const problem = await problemOf(response)
    if (problem?.code === 'not_connected') return null
    throw problem
      ? new Failure<string>(problem.code, problem.detail, { problem, retryAfter: response.headers.get('retry-after') })
      : misconfigured(`The gateway responded with status ${response.status} and no explanation.`)
  }
  const parsed = schema.safeParse(response.status === 204 ? null : await response.json().catch(() => undefined))
  if (!parsed.success) throw misconfigured('The gateway sent a response this app can’t read.', parsed.error)
  return parsed.data
}

/** Sends a request, and retries once if the gateway did not respond. For idempotent requests only. */
async function onceMore(ask: () => Promise<Response>, signal: AbortSignal): Promise<Response> {
  const isFinal = (response: Response) =>
    !NOBODY_THERE.includes(response.status) ||
    response.headers.get('content-type')?.startsWith('application/problem+json') === true
  try {
    const response = await ask()
    if (isFinal(response)) return response
    await response.body?.cancel()
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'gateway_unreachable' || signal.aborted) throw error
  }
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
  return ask()
}

/** Forwards a request on behalf of this member; the response body is an unread stream. */
export async function fetchGateway(
  app: App<'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  path: string,
  init: RequestInit,
): Promise<Response> {
  const { gatewayUrl, serviceToken } = app
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${serviceToken}`)
  headers.set('x-user-id', member.user.id)
  headers.set('x-space-id', member.space.id)
  let response: Response
  try {
    response = await fetch(gatewayUrl.replace(/\/$/, '') + path, {
      ...init,
      headers,
      redirect: 'manual',
      cache: 'no-store',
    })
  } catch (error) {
    throw new Failure(
      'gateway_unreachable',
      'The gateway isn’t responding. Try again in a moment. If it keeps happening, contact your administrator.',
      {
        cause: error,
      },
    )
  }
  if (
    response.status === 401 &&
    (await problemOf(boundedBody(response.clone(), LONGEST_ANSWER)))?.code === 'unauthenticated'
  ) {
    throw misconfigured('The gateway rejected this app: GATEWAY_SERVICE_TOKEN must be the same for both.')
  }
  return response
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return undefined
  return Problem.safeParse(await response.json().catch(() => undefined)).data
}

function misconfigured(detail: string, cause?: unknown): Failure {
  return new Failure('gateway_misconfigured', `${detail} Contact your administrator.`, {
    cause,
  })
}
