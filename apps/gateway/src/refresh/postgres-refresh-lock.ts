/**
 * The lock on a refresh is a session-level advisory lock. A row with an expiry would either run out under a holder that is merely slow, or keep
 * everybody waiting for one that died; a lock of the session does neither: the server frees it the moment the process is gone. All locks of a
 * process share one session, so waiting for an authorization server never occupies the pool.
 *
 * The lock alone cannot tell a holder that died from one that only lost its session, with a request under way; and one that stands still keeps
 * it for ever. So safety rests on the intent: nobody writes another over one that is neither settled nor old enough to be over. The lock spares
 * the others the attempt.
 *
 * See docs/decisions/0003-refresh-claims.md.
 */
import { randomUUID } from 'node:crypto'
import type { RefreshTimes } from '../connections/refresh-schedule.ts'
import { Failure } from '../platform/failure.ts'
import type { Log } from '../platform/log.ts'
import type { RefreshLock, RefreshLocks } from './refresh-lock.ts'
import type { TroubleLog } from '../platform/database-trouble.ts'
import { openSession, type Sql } from '../platform/database.ts'

/** So many refreshes a process has in flight at once; more have to wait as if another held them. Each takes a lock of the server's lock table. */
const MOST_HELD = 500

/** `synchronous_commit`: an intent that a crash of the database takes back would be none. `lock_timeout`: below the statement time-out. */
const SESSION_SETTINGS = `set lock_timeout = '2s';
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')`

/** Decides whether this database may be refreshed from; see refresh/database-guard.ts. */
export interface RefreshLockGuard {
  /** Looks at the database of a new session, and again when an intent was refused. @throws {Failure} `store_unavailable`. */
  check(session: Sql): Promise<void>
  /** @throws {Failure} when no token may leave. */
  assertNotHeld(): void
  /** What an intent may only be written under: SQL, in which `$n` is {@link minimumCount}. */
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
  troubles?: TroubleLog,
): RefreshLocks & { ready(): Promise<Sql>; close(): void } {
  type Session = Awaited<ReturnType<typeof openSession>>
  let session: Session | undefined
  let opening: Promise<Session> | undefined
  let isClosed = false
  // Advisory locks nest within a session, so two takers of one process have to be told apart here.
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
      troubles,
    )
    try {
      await opened.query(SESSION_SETTINGS)
      // A failover, or a restore, brings new sessions: the database behind this one may be another.
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
    let asked: { wall: number; monotonic: number } | undefined
    let isWritten = false
    // Both clocks: the monotonic one stands still while the machine is suspended, the other can be set.
    const ageMs = () =>
      asked ? Math.max(Math.abs(Date.now() - asked.wall), performance.now() - asked.monotonic) : Infinity
    return {
      id,
      async recordIntent({ generation, inDoubt, failures, recheckAt }) {
        isWritten = false
        const minimumCount = await guard.minimumCount()
        if (session !== on) throw lockLost()
        asked = { wall: Date.now(), monotonic: performance.now() }
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
        // A session that cannot give a lock back is dropped: the server then frees them all.
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
      if (held.has(stream) || held.size >= MOST_HELD) return undefined
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

/** Somebody else keeps the row locked; the session is as good as before. */
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
