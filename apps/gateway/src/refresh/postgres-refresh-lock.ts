/**
 * The refresh lock is a session-level advisory lock. A row with an expiry would either expire while its holder is merely slow or block others
 * after its holder has died; the server frees a session's lock as soon as the process is gone. All locks of a process share one session, so
 * waiting for an authorization server never occupies the pool.
 *
 * The lock cannot distinguish a holder that died from one that only lost its session with a request in flight, and a stopped process holds it
 * indefinitely. So safety rests on the intent: an unresolved intent is not overwritten before its request must have ended. The lock only avoids
 * futile attempts.
 *
 * See docs/decisions/0003-refresh-lock-and-intent.md.
 */
import { randomUUID } from 'node:crypto'
import type { RefreshTimes } from '../connections/refresh-schedule.ts'
import { Failure } from '../platform/failure.ts'
import type { Log } from '../platform/log.ts'
import type { RefreshLock, RefreshLocks } from './refresh-lock.ts'
import type { DatabaseFaultTracker } from '../platform/database-fault.ts'
import { openSession, type Sql } from '../platform/database.ts'

/** Maximum locks of one process, each of which occupies an entry of the server's lock table. Further refreshes wait as if the lock were held. */
const MAX_HELD = 500

/** `synchronous_commit`: a crash of the database must not lose an intent. `lock_timeout`: below the statement time-out. */
const SESSION_SETTINGS = `set lock_timeout = '2s';
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')`

/** Decides whether tokens of this database may be refreshed; see connections/copies/database-guard.ts. */
export interface RefreshLockGuard {
  /** Checks the database of a new session, and again after an intent was rejected. @throws {Failure} `store_unavailable`. */
  check(session: Sql): Promise<void>
  /** @throws {Failure} when no token may be sent. */
  assertNotHeld(): void
  /** SQL condition for writing an intent; `parameter` is that of {@link minimumCount}. */
  condition(parameter: string): string
  minimumCount(): Promise<number>
}

const UNGUARDED: RefreshLockGuard = {
  check: async () => undefined,
  assertNotHeld: () => undefined,
  condition: (parameter) => `${parameter}::bigint is not null`,
  minimumCount: async () => 0,
}

export function postgresRefreshLocks(
  url: string,
  log: Log,
  times: Pick<RefreshTimes, 'mayRedeemForMs' | 'redeemWithinMs' | 'takeoverAfterMs'>,
  guard = UNGUARDED,
  faults?: DatabaseFaultTracker,
): RefreshLocks & { ready(): Promise<Sql>; close(): void } {
  type Session = Awaited<ReturnType<typeof openSession>>
  let session: Session | undefined
  let opening: Promise<Session> | undefined
  let isClosed = false
  // A session can acquire an advisory lock repeatedly, so exclusion within the process is ensured here.
  const held = new Set<string>()

  const open = async (): Promise<Session> => {
    const opened: Session = await openSession(
      url,
      () => {
        if (session !== opened) return
        session = undefined
        held.clear()
        if (!isClosed) log.warn('refresh_lock.session_lost')
      },
      faults,
    )
    try {
      await opened.query(SESSION_SETTINGS)
      // After a failover or a restore, a new session may be connected to another database.
      await guard.check(opened)
    } catch (error) {
      opened.destroy()
      throw error
    }
    if (isClosed) opened.destroy()
    else session = opened
    return opened
  }
  const current = async () => session ?? (opening ??= open().finally(() => (opening = undefined)))

  const lockOn = (on: Session, stream: string, isLocked: boolean): RefreshLock => {
    const id = randomUUID()
    let requestedAt: { wall: number; monotonic: number } | undefined
    let isWritten = false
    // Both clocks: the monotonic one stops while the machine is suspended, and the wall clock can be set.
    const ageMs = () =>
      requestedAt
        ? Math.max(Math.abs(Date.now() - requestedAt.wall), performance.now() - requestedAt.monotonic)
        : Infinity
    return {
      id,
      async recordIntent({ generation, inDoubt, failures, recheckAt }) {
        isWritten = false
        const minimumCount = await guard.minimumCount()
        if (session !== on) throw lockLost()
        requestedAt = { wall: Date.now(), monotonic: performance.now() }
        const written = on.query(
          `update gateway.connections
              set intent_generation = $2, intent_claim = $3, intent_in_doubt = $4, intent_failures = $5, intent_not_before = null, intent_pause_ms = null,
                  intent_at = now(), refresh_due_at = least(refresh_due_at, $6)
            where stream = $1 and version = $2
              and (intent_claim is null or intent_claim = $3 or intent_not_before is not null
                   or intent_generation <> $2 or coalesce(intent_at < now() - make_interval(secs => $7::float / 1000), true))
              and ${guard.condition('$8')}`,
          [stream, generation, id, inDoubt, failures, recheckAt, times.takeoverAfterMs, minimumCount],
        )
        const { rowCount } = await written.catch((error: unknown) => {
          if (!isLockTimeout(error)) on.destroy()
          throw error
        })
        if (session !== on) throw lockLost()
        isWritten = rowCount === 1
        if (!isWritten) {
          await guard.check(on)
          guard.assertNotHeld()
        }
        return isWritten
      },
      mayRedeem: () => session === on && isWritten && ageMs() < times.mayRedeemForMs,
      remainingMs: () => (isWritten ? Math.max(0, Math.floor(times.redeemWithinMs - ageMs())) : 0),
      async release() {
        isWritten = false
        if (session !== on || !isLocked) return
        held.delete(stream)
        // If the lock cannot be released, the session is closed, which releases all its locks.
        await on
          .query('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName(stream)])
          .catch(() => on.destroy())
      },
    }
  }

  return {
    async acquire(stream, evenIfHeld = false) {
      const on = await current()
      guard.assertNotHeld()
      if (evenIfHeld) return lockOn(on, stream, false)
      if (held.has(stream) || held.size >= MAX_HELD) return undefined
      held.add(stream)
      try {
        const { rows } = await on.query<{ taken: boolean }>(
          'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken',
          [lockName(stream)],
        )
        if (rows[0]?.taken === true && session === on) return lockOn(on, stream, true)
        if (session === on) held.delete(stream)
        return undefined
      } catch (error) {
        on.destroy()
        throw error
      }
    },
    ready: current,
    close() {
      isClosed = true
      session?.destroy()
    },
  }
}

/** True if another transaction holds the row lock. The session stays usable. */
const isLockTimeout = (error: unknown) =>
  error instanceof Error && error.cause instanceof Error && 'code' in error.cause && error.cause.code === '55P03'

const lockName = (stream: string) => `gateway.refresh:${stream}`

const lockLost = () =>
  new Failure(
    'store_unavailable',
    'The gateway lost its lock on the refresh of this connection. Try again in a moment.',
    {
      retryAfterSeconds: 2,
    },
  )
