import 'server-only'
import { addressOf, refusalOf, takeLimit, type LimitedAction, type Subjects } from './limits.ts'
import { Failure } from './failure.ts'
import { runtime } from './runtime.ts'

/**
 * Counts one use of the action by the request's address and by who else is named.
 *
 * @throws {Failure} `too_many_attempts`, with the seconds until the next use is allowed.
 */
export async function requireWithinLimit(headers: Headers, action: LimitedAction, subjects: Subjects): Promise<void> {
  const retryAfter = await takeLimit(runtime().pool, action, { address: addressOf(headers), ...subjects })
  if (retryAfter > 0) throw new Failure('too_many_attempts', refusalOf(action, retryAfter), { retryAfter })
}
