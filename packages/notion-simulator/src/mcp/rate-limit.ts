import { MINUTE, SECOND } from '../clock.ts'
import type { Options, RateLimitReason } from '../options.ts'
import type { State } from '../state.ts'
import type { Plan } from '../workspace/workspace.ts'

/** Limits tool calls per connection and per workspace in a window of simulated time. */
export type RateLimiter = {
  /** Counts the call, or returns when to retry. */
  admit(
    caller: { connectionId: string; workspaceId: string },
    plan: Plan,
    toolName: string,
  ): { retryAfterSeconds: number; reason: RateLimitReason } | undefined
  clear(): void
}

/** At most `calls` per key in the window. */
type Limit = { key: string; calls: number; windowMs: number; reason: RateLimitReason }

export function rateLimiter({ clock, options }: Pick<State, 'clock' | 'options'>): RateLimiter {
  const counted = new Map<string, number[]>()

  /** Seconds until the next call is allowed, or 0. */
  const wait = ({ key, calls, windowMs }: Limit): number => {
    const now = clock.now()
    const recent = (counted.get(key) ?? []).filter((at) => at > now - windowMs)
    counted.set(key, recent)
    const oldest = recent.at(-calls)
    if (recent.length < calls) return 0
    return Math.max(1, Math.ceil(((oldest ?? now) + windowMs - now) / SECOND))
  }

  return {
    admit(caller, plan, toolName) {
      const limits = limitsOf(options, caller, plan, toolName)
      for (const limit of limits) {
        const retryAfterSeconds = wait(limit)
        if (retryAfterSeconds > 0) return { retryAfterSeconds, reason: limit.reason }
      }
      for (const { key } of limits) counted.get(key)?.push(clock.now())
      return undefined
    },
    clear: () => counted.clear(),
  }
}

function limitsOf(
  options: Options,
  { connectionId, workspaceId }: { connectionId: string; workspaceId: string },
  plan: Plan,
  toolName: string,
): Limit[] {
  const { rateLimitPerMinute, searchLimitPerMinute, workspaceRateLimit } = options
  const generous = plan === 'business' || plan === 'enterprise'
  const perMinute = rateLimitPerMinute === 'plan' ? (generous ? 600 : 180) : rateLimitPerMinute
  const limits: Limit[] = []
  if (perMinute !== null) {
    limits.push({ key: connectionId, calls: perMinute, windowMs: MINUTE, reason: 'public_api_request_rate_limit' })
  }
  if (workspaceRateLimit) {
    const { calls, windowSeconds } = workspaceRateLimit
    const reason = 'public_api_space_request_rate_limit'
    limits.push({ key: `workspace ${workspaceId}`, calls, windowMs: windowSeconds * SECOND, reason })
  }
  if (toolName === 'notion-search' && searchLimitPerMinute !== null) {
    const reason = 'public_api_endpoint_rate_limit'
    limits.push({ key: `${connectionId} search`, calls: searchLimitPerMinute, windowMs: MINUTE, reason })
  }
  return limits
}
