import { Failure } from '../platform/failure.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { Clock } from '../platform/clock.ts'
import type { ConnectionStore, DueConnection } from '../connections/connection-store.ts'
import type { AccessTokenSource } from './access-tokens.ts'

export interface BackgroundRefreshDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly store: ConnectionStore
  readonly accessTokens: Pick<AccessTokenSource, 'refreshIfDue' | 'drainUsed'>
  /** Starts no further refresh once it is aborted. */
  readonly stopping?: AbortSignal
}

/** Concurrent refreshes of one replica, and the number of connections leased at once. */
const CONCURRENCY = 16

/** Lease of a due connection, in which no other replica gets it. Longer than a refresh takes. */
const LEASE_MS = 60_000

/**
 * Runs one round of the background refresh: refreshes due connections with bounded concurrency, the longest due first, until none is due. Slow
 * refreshes do not delay the others, and failed ones are rescheduled by their back-off. The round ends when no refresh succeeds, so that an
 * outage does not cause a write for every connection.
 *
 * @returns the number of connections tried.
 */
export async function refreshDue(deps: BackgroundRefreshDependencies): Promise<number> {
  const { clock, store, accessTokens, stopping } = deps
  const used = accessTokens.drainUsed()
  if (used.length > 0) await store.markUsed(used, clock())

  const due: DueConnection[] = []
  let leasing: Promise<void> | undefined
  let isAllLeased = false
  let consecutiveFailures = 0
  let count = 0

  const lease = async () => {
    const leased = await store.takeDue(clock(), CONCURRENCY, LEASE_MS)
    due.push(...leased)
    if (leased.length < CONCURRENCY) isAllLeased = true
  }
  const next = async (): Promise<DueConnection | undefined> => {
    while (due.length === 0 && !isAllLeased) await (leasing ??= lease().finally(() => (leasing = undefined)))
    return stopping?.aborted === true || consecutiveFailures >= CONCURRENCY ? undefined : due.shift()
  }
  const work = async () => {
    for (let connection = await next(); connection !== undefined; connection = await next()) {
      count += 1
      consecutiveFailures = (await tryRefresh(deps, connection)) ? 0 : consecutiveFailures + 1
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  return count
}

/** Refreshes a due connection. Resolves to true if the authorization server granted or finally refused it. */
async function tryRefresh(
  { accessTokens, log }: BackgroundRefreshDependencies,
  { spaceId, version }: DueConnection,
): Promise<boolean> {
  try {
    await accessTokens.refreshIfDue(spaceId, version)
    return true
  } catch (error) {
    const code = error instanceof Failure ? error.code : undefined
    if (code === 'reconnect_required' || code === 'not_connected') return true
    if (code !== 'refresh_unavailable' && code !== 'upstream_refuses_token')
      log.error('credential.not_refreshed', { space: spaceId, code, ...describeError(error) })
    return false
  }
}
