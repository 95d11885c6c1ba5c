import type { RefreshIntent } from '../connections/connection-store.ts'

/**
 * The exclusive permission to refresh one connection, over all replicas. Free again as soon as its holder's process dies; does not run
 * out under a holder that is merely slow.
 */
export interface RefreshLocks {
  /**
   * Undefined when somebody else holds it. `evenIfHeld` takes it from a holder that stands still: what that one cannot do any more then is decided
   * by the intent alone.
   *
   * @throws {Failure} `store_unavailable`.
   */
  acquire(stream: string, evenIfHeld?: boolean): Promise<RefreshLock | undefined>
}

export interface RefreshLock {
  readonly id: string
  /**
   * Durable before it resolves: this lock is about to redeem `generation`. Written through the very session that took the lock, so it
   * cannot succeed once that is lost. The background refresher looks at the connection at `recheckAt`, should nobody settle it.
   *
   * @returns false when the stream has moved on, or another lock's attempt may still be under way.
   * @throws {Failure} `store_unavailable` when the lock is lost.
   */
  recordIntent(
    intent: Pick<RefreshIntent, 'generation' | 'inDoubt' | 'failures'> & { readonly recheckAt: Date },
  ): Promise<boolean>
  /** Whether the last {@link recordIntent} is recent enough to act on, by the wall clock and by the monotonic one. */
  mayRedeem(): boolean
  /** Milliseconds until what the last {@link recordIntent} announced has to be over. */
  remainingMs(): number
  release(): Promise<void>
}
