import { Failure } from '../platform/failure.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { Clock } from '../platform/clock.ts'
import type { ConnectionStore, DueConnection } from '../connections/connection-store.ts'
import type { AccessTokenSource } from './access-tokens.ts'

export interface BackgroundRefreshDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly store: ConnectionStore
  readonly credentials: Pick<AccessTokenSource, 'renew' | 'drainUsed'>
  /** Begins no further renewal once it is aborted. */
  readonly stopping?: AbortSignal
}

/** Renewals that one replica has in flight at once, and how many it takes from the store in one go. */
const AT_ONCE = 16

/** For how long a connection that one replica took for renewal is not offered to the others. Longer than a renewal lasts. */
const TAKEN_FOR_MS = 60_000

/**
 * One round of the background refresher: renews what is due, the longest due first, a bounded number at once, until nothing is. Slow ones do not
 * hold the others up, and one that fails comes back by its back-off. When nothing succeeds, the round ends, so that an outage does not have
 * the whole table rewritten. Resolves to how many were tried.
 */
export async function refreshDue(deps: BackgroundRefreshDependencies): Promise<number> {
  const { clock, store, credentials, stopping } = deps
  const used = credentials.drainUsed()
  if (used.length > 0) await store.markUsed(used, clock())

  const due: DueConnection[] = []
  let taking: Promise<void> | undefined
  let isAllTaken = false
  let failedInARow = 0
  let count = 0

  const take = async () => {
    const taken = await store.takeDue(clock(), AT_ONCE, TAKEN_FOR_MS)
    due.push(...taken)
    if (taken.length < AT_ONCE) isAllTaken = true
  }
  const next = async (): Promise<DueConnection | undefined> => {
    while (due.length === 0 && !isAllTaken) await (taking ??= take().finally(() => (taking = undefined)))
    return stopping?.aborted === true || failedInARow >= AT_ONCE ? undefined : due.shift()
  }
  const work = async () => {
    for (let connection = await next(); connection !== undefined; connection = await next()) {
      count += 1
      failedInARow = (await renew(deps, connection)) ? 0 : failedInARow + 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return count
}

/** Resolves to whether the authorization server had anything to say. */
async function renew(
  { credentials, log }: BackgroundRefreshDependencies,
  { spaceId, version }: DueConnection,
): Promise<boolean> {
  try {
    await credentials.renew(spaceId, version)
    return true
  } catch (error) {
    const code = error instanceof Failure ? error.code : undefined
    if (code === 'reconnect_required' || code === 'not_connected') return true
    if (code !== 'refresh_unavailable' && code !== 'upstream_refuses_token')
      log.error('credential.not_renewed', { space: spaceId, code, ...describeError(error) })
    return false
  }
}
