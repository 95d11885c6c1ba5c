import { Failure } from '../failure.ts'
import { describeError, type Log } from '../log.ts'
import type { Clock, ConnectionStore } from '../ports.ts'
import type { Credentials } from './fresh-credential.ts'

export interface KeepFreshDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly store: ConnectionStore
  readonly credentials: Credentials
}

/** Renewals that one replica has in flight at once. */
const BATCH = 16

/** For how long a connection that one replica took for renewal is not offered to the others. Longer than two token requests take. */
const TAKEN_FOR_MS = 60_000

/**
 * One round of the background refresher: renews what is due, a bounded number at once, until nothing is. A renewal that fails comes back
 * by its back-off; the others are not held up. Resolves to how many were tried.
 */
export async function keepFresh({ clock, log, store, credentials }: KeepFreshDependencies): Promise<number> {
  const used = credentials.takeUsed()
  if (used.length > 0) await store.markUsed(used, clock())
  let count = 0
  for (;;) {
    const due = await store.takeDue(clock(), BATCH, TAKEN_FOR_MS)
    await Promise.all(
      due.map(({ spaceId }) =>
        credentials.renew(spaceId).catch((error: unknown) => {
          const code = error instanceof Failure ? error.code : undefined
          if (code === 'reconnect_required' || code === 'refresh_unavailable') return
          log.error('credential.not_renewed', { space: spaceId, code, ...describeError(error) })
        }),
      ),
    )
    count += due.length
    if (due.length < BATCH) return count
  }
}
