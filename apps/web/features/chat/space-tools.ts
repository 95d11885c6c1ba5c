import 'server-only'
import { createMCPClient } from '@ai-sdk/mcp'
import { mayHaveBeenSent, Problem, type ProblemCode } from '@nmg/contract'
import type { ToolSet } from 'ai'
import { boundedBody } from '@/lib/bounded-body.ts'
import { fetchGateway } from '@/lib/gateway.ts'
import { log } from '@/lib/log.ts'
import { isStillMember, type SpaceMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { Failure, failureWith } from '@/lib/failure.ts'
import { boundedResult } from './bounded-result.ts'
import { runFailureCodes, type RunFailure, type RunFailureCode } from './chat-message.ts'
import { modelOutput } from './model-output.ts'
import { withoutOddTools } from './tool-definitions.ts'

/** The tools of a space's Notion during one run. */
export interface SpaceTools {
  readonly tools: ToolSet
  /** Failure that prevents all further calls and ends the run. */
  trouble(): RunFailure | undefined
  close(): Promise<void>
}

/** A failure that ends the run. `until` as in the finish reason. */
const runFailure = ({ code, detail, until }: RunFailure, cause: unknown) =>
  new Failure<RunFailureCode>(code, detail, { cause, retryAfter: until })

/** The run failure among an error's causes; undefined for other errors. */
export function runFailureOf(error: unknown): RunFailure | undefined {
  const failure = failureWith(error, runFailureCodes)
  if (!failure) return undefined
  const { code, message: detail, retryAfter: until } = failure
  return { kind: 'failed', code, detail, ...(until !== undefined && { until }) }
}

/** Size limit of a gateway response in bytes. */
const LONGEST_RESPONSE = 16 * 1024 * 1024

/** Notion's own deadline is 55 seconds; some of its tools take several of those. */
const CALL_TIMEOUT_MS = 5 * 60_000

const CONNECT_TIMEOUT_MS = 45_000

/**
 * Connects to the space's Notion through the gateway, on behalf of the member. Checks the membership before each request, because a run can
 * take minutes.
 *
 * @throws {Failure} with a {@link RunFailureCode}
 */
export async function openSpaceTools(
  app: App<'pool' | 'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  signal: AbortSignal,
  { canSeeImages }: { readonly canSeeImages: boolean },
): Promise<SpaceTools> {
  let trouble: RunFailure | undefined
  /** Ends the calls that wait for a response which is too large: the MCP client does not tell them. */
  let overflow = new AbortController()
  const fail = (failure: RunFailure, cause?: unknown): never => {
    trouble ??= failure
    throw runFailure(failure, cause)
  }

  const fetchAsMember = async (_url: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    if (!(await isStillMember(app, member))) {
      fail({ kind: 'failed', code: 'no_access', detail: 'You are no longer a member of this space.' })
    }
    let response: Response
    try {
      response = await fetchGateway(app, member, '/mcp/notion/proxy', init)
    } catch (error) {
      if (init.signal?.aborted || !(error instanceof Failure)) throw error
      return fail({ kind: 'failed', code: 'gateway_unavailable', detail: error.message }, error)
    }
    // Problem documents come from the gateway; Notion's own responses go to the MCP client.
    if (!response.headers.get('content-type')?.startsWith('application/problem+json')) {
      const bounded = boundedBody(response, LONGEST_RESPONSE, () => {
        overflow.abort()
        overflow = new AbortController()
      })
      return isToolList(init) ? withoutOddTools(bounded, noteLeftOut) : bounded
    }
    const problem = Problem.safeParse(await response.json().catch(() => undefined)).data
    if (problem?.code === ('unknown_session' satisfies ProblemCode)) return new Response(null, { status: 404 })
    return fail(failureOf(problem, response.headers.get('retry-after')))
  }

  try {
    const client = await createMCPClient({
      transport: { type: 'http', url: 'http://gateway.invalid/mcp/notion/proxy', fetch: fetchAsMember },
      clientName: 'notion-mcp-gateway-chat',
      version: '0.1.0',
      maxRetries: 0,
      initializationOptions: { signal, timeout: CONNECT_TIMEOUT_MS },
      // Old servers' streams may end at any time; calls report their own errors.
      onUncaughtError: () => undefined,
    })
    try {
      const tools = await client.tools()
      return {
        tools: Object.fromEntries(Object.entries(tools).map(([name, tool]) => [name, watched(tool)])),
        trouble: () => trouble,
        close: () => client.close().catch(() => undefined),
      }
    } catch (error) {
      await client.close().catch(() => undefined)
      throw error
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw runFailure(trouble ?? unavailable, error)
  }

  /** A tool that keeps to its time, tells the model no more than it can read, and notices a rate limit. */
  function watched(tool: ToolSet[string]): ToolSet[string] {
    const { execute } = tool
    return {
      ...tool,
      execute: async (input: unknown, options: CallOptions) => {
        const deadline = AbortSignal.timeout(CALL_TIMEOUT_MS)
        const tooLarge = overflow.signal
        const signals = [deadline, tooLarge, ...(options.abortSignal ? [options.abortSignal] : [])]
        try {
          const result: unknown = await execute?.(input as never, { ...options, abortSignal: AbortSignal.any(signals) })
          trouble ??= rateLimit(result)
          return boundedResult(result)
        } catch (error) {
          throw tooLarge.aborted ? runFailure(unreadablyLarge, error) : error
        }
      },
      toModelOutput: ({ output }: ModelOutputOptions) => modelOutput(output, canSeeImages),
    } as ToolSet[string] // The same tool, with the same types, in a wrapper.
  }
}

const isToolList = ({ body }: RequestInit): boolean => typeof body === 'string' && body.includes('"tools/list"')

const noteLeftOut = (tools: readonly string[]) => log.warn('chat.tools_left_out', { tools: tools.join(', ') })

const unavailable: RunFailure = {
  kind: 'failed',
  code: 'notion_unavailable',
  detail: 'Couldn’t load Notion’s tools. Try again in a moment.',
}

const unreadablyLarge: RunFailure = {
  kind: 'failed',
  code: 'outcome_unknown',
  detail: `The result is larger than ${LONGEST_RESPONSE / 1024 / 1024} MB, so it wasn’t read. Notion may have applied the call; check before retrying.`,
}

const codes: Partial<Record<string, RunFailureCode>> = {
  not_connected: 'not_connected',
  reconnect_required: 'reconnect_required',
  consent_required: 'reconnect_required',
  forbidden_space: 'no_access',
  upstream_unreachable: 'notion_unavailable',
  upstream_timeout: 'notion_unavailable',
  outcome_unknown: 'outcome_unknown',
  authorization_unavailable: 'notion_unavailable',
  refresh_unavailable: 'notion_unavailable',
  upstream_refuses_token: 'notion_refused',
  credential_unreadable: 'reconnect_required',
  overloaded: 'gateway_unavailable',
} satisfies Partial<Record<ProblemCode, RunFailureCode>>

/** Where the gateway writes for clients outside of this app, with an address to open. */
const details: Partial<Record<string, string>> = {
  not_connected: 'This space isn’t connected to Notion. Connect it, then try again.',
  reconnect_required: 'Notion no longer accepts this space’s connection. Reconnect it, then try again.',
  consent_required: 'Notion asks for consent again. Reconnect this space, then try again.',
} satisfies Partial<Record<ProblemCode, string>>

const withoutAddresses = (detail: string): string => detail.replaceAll(/:?\s*https?:\/\/\S+/g, '').trim()

function failureOf(problem: Problem | undefined, retryAfter: string | null): RunFailure {
  const until = retryAfter === null ? undefined : inSeconds(Number(retryAfter))
  const code = problem?.code ?? ''
  const isUnknown = codes[code] === undefined && mayHaveBeenSent(code)
  return {
    kind: 'failed',
    code: codes[code] ?? (isUnknown ? 'outcome_unknown' : 'gateway_unavailable'),
    detail:
      details[code] ??
      (withoutAddresses(problem?.detail ?? '') ||
        (isUnknown
          ? 'Notion’s response wasn’t usable. Notion may have applied the call; check before retrying.'
          : 'The gateway couldn’t reach Notion. Try again in a moment.')),
    ...(until && { until }),
  }
}

const inSeconds = (seconds: number): string | undefined =>
  Number.isFinite(seconds) && seconds > 0 ? new Date(Date.now() + seconds * 1_000).toISOString() : undefined

type ModelOutputOptions = Parameters<NonNullable<ToolSet[string]['toModelOutput']>>[0]
type CallOptions = Parameters<NonNullable<ToolSet[string]['execute']>>[1]

interface ToolResult {
  readonly isError?: boolean
  readonly content?: readonly { readonly type: string; readonly text?: string }[]
}

/** Notion reports its rate limit as the result of a call. */
function rateLimit(result: unknown): RunFailure | undefined {
  const { isError, content } = (result ?? {}) as ToolResult // Whatever it is, members that are missing are undefined.
  const text = isError ? (content?.find((block) => block.type === 'text')?.text ?? '') : ''
  if (!text.includes('"rate_limited"')) return undefined
  const [, seconds] = /"retry_after_seconds":\s*(\d+)/.exec(text) ?? []
  const until = inSeconds(Number(seconds ?? 60))
  return {
    kind: 'failed',
    code: 'notion_rate_limited',
    detail: 'This connection has reached Notion’s limit on calls.',
    ...(until && { until }),
  }
}
