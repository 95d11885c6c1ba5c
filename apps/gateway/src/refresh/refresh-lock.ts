import type { RefreshIntent } from '../connections/connection-store.ts'

/**
 * The exclusive lock on the refresh of one connection across all replicas. It is freed when its holder's process dies and does not expire
 * while its holder is merely slow.
 */
export interface RefreshLocks {
  /**
   * Undefined while another refresh holds the lock. `evenIfHeld` bypasses the holder, for one that is stopped; only the intent protects against
   * it then.
   *
   * @throws {Failure} `store_unavailable`.
   */
  acquire(stream: string, evenIfHeld?: boolean): Promise<RefreshLock | undefined>
}

export interface RefreshLock {
  /** Fencing token for the intent and the result. */
  readonly id: string
  /**
   * Durably records that this lock is about to redeem `generation`. Written through the session that holds the lock, so it fails once that is
   * lost. The background refresh checks the connection at `recheckAt` in case the attempt is never resolved.
   *
   * @returns false when the stream has moved on, or another lock's attempt may still be in flight.
   * @throws {Failure} `store_unavailable` when the lock is lost.
   */
  recordIntent(
    intent: Pick<RefreshIntent, 'generation' | 'inDoubt' | 'failures'> & { readonly recheckAt: Date },
  ): Promise<boolean>
  /** True while the last {@link recordIntent} is recent enough to send the token, by both the wall clock and the monotonic clock. */
  mayRedeem(): boolean
  /** Milliseconds until the request of the last {@link recordIntent} must have ended. */
  remainingMs(): number
  release(): Promise<void>
}
