import { MINUTE, SECOND } from '../clock.ts'
import type { State } from '../state.ts'
import type { Plan } from '../workspace/workspace.ts'
import type { RateLimitReason } from './results.ts'

/** Counts tool calls per connection over the last minute of simulated time. */
export type RateLimiter = {
  /** Counts the call, or says when to come back. */
  admit(
    connectionId: string,
    plan: Plan,
    toolName: string,
  ): { retryAfterSeconds: number; reason: RateLimitReason } | undefined
  clear(): void
}

export function rateLimiter({ clock, knobs }: Pick<State, 'clock' | 'knobs'>): RateLimiter {
  const calls = new Map<string, number[]>()

  /** Seconds until the window has room, or 0 when it has. */
  const wait = (key: string, limit: number): number => {
    const now = clock.now()
    const recent = (calls.get(key) ?? []).filter((at) => at > now - MINUTE)
    calls.set(key, recent)
    const oldest = recent.at(-limit)
    if (recent.length < limit) return 0
    return Math.max(1, Math.ceil(((oldest ?? now) + MINUTE - now) / SECOND))
  }

  return {
    admit(connectionId, plan, toolName) {
      const generous = plan === 'business' || plan === 'enterprise'
      const perMinute = knobs.rateLimitPerMinute === 'plan' ? (generous ? 600 : 180) : knobs.rateLimitPerMinute
      const searchKey = `${connectionId} search`
      const searchLimit = toolName === 'notion-search' ? knobs.searchLimitPerMinute : null
      if (perMinute !== null) {
        const retryAfterSeconds = wait(connectionId, perMinute)
        if (retryAfterSeconds > 0) return { retryAfterSeconds, reason: 'public_api_request_rate_limit' }
      }
      if (searchLimit !== null) {
        const retryAfterSeconds = wait(searchKey, searchLimit)
        if (retryAfterSeconds > 0) return { retryAfterSeconds, reason: 'public_api_endpoint_rate_limit' }
        calls.get(searchKey)?.push(clock.now())
      }
      if (perMinute !== null) calls.get(connectionId)?.push(clock.now())
      return undefined
    },
    clear: () => calls.clear(),
  }
}
