/**
 * The claim on a refresh is a session-level advisory lock. A row with an expiry would either run out under a holder that is merely slow, or keep
 * everybody waiting for one that died; a lock of the session does neither: the server frees it the moment the process is gone. All claims of a
 * process share one session, so waiting for an authorization server never occupies the pool.
 *
 * See docs/decisions/0003-refresh-claims.md.
 */
import { randomUUID } from 'node:crypto'
import { Failure } from '../../failure.ts'
import type { Log } from '../../log.ts'
import type { Claim, Claims } from '../../ports.ts'
import { openSession } from './database.ts'

/** How old a written intent may be when the refresh token leaves. Well below the time after which the server drops an unreachable session. */
const ENTITLED_FOR_MS = 5_000

export function postgresClaims(url: string, log: Log): Claims & { close(): void } {
  type Session = Awaited<ReturnType<typeof openSession>>
  let session: Session | undefined
  let opening: Promise<Session> | undefined
  // Advisory locks nest within a session, so two takers of one process have to be told apart here.
  const held = new Set<string>()

  const open = async (): Promise<Session> => {
    const opened: Session = await openSession(url, () => {
      if (session !== opened) return
      session = undefined
      held.clear()
      log.warn('claims.session_lost')
    })
    session = opened
    return opened
  }
  const current = async () => session ?? (opening ??= open().finally(() => (opening = undefined)))

  const claimOn = (on: Session, stream: string): Claim => {
    const id = randomUUID()
    let provenAt: { wall: number; monotonic: number } | undefined
    return {
      id,
      async intend({ generation, inDoubt, failures, notBefore }) {
        if (session !== on) throw claimLost()
        const asked = { wall: Date.now(), monotonic: performance.now() }
        const { rowCount } = await on
          .query(
            `update gateway.connections
                set intent_generation = $2, intent_claim = $3, intent_in_doubt = $4, intent_failures = $5, intent_not_before = $6
              where stream = $1 and version = $2`,
            [stream, generation, id, inDoubt, failures, notBefore],
          )
          .catch((error: unknown) => {
            on.destroy()
            throw error
          })
        if (session !== on) throw claimLost()
        if (rowCount !== 1) return false
        provenAt = asked
        return true
      },
      isEntitled: () =>
        session === on &&
        provenAt !== undefined &&
        // Both clocks: the monotonic one stands still while the machine is suspended, the other can be set.
        Math.max(Math.abs(Date.now() - provenAt.wall), performance.now() - provenAt.monotonic) < ENTITLED_FOR_MS,
      async release() {
        if (session !== on) return
        held.delete(stream)
        // A session that cannot give a lock back is dropped: the server then frees them all.
        await on
          .query('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName(stream)])
          .catch(() => on.destroy())
      },
    }
  }

  return {
    async tryTake(stream) {
      if (held.has(stream)) return undefined
      const on = await current()
      if (held.has(stream)) return undefined
      held.add(stream)
      try {
        const { rows } = await on.query<{ taken: boolean }>(
          'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken',
          [lockName(stream)],
        )
        if (rows[0]?.taken === true && session === on) return claimOn(on, stream)
        if (session === on) held.delete(stream)
        return undefined
      } catch (error) {
        on.destroy()
        throw error
      }
    },
    close: () => session?.destroy(),
  }
}

const lockName = (stream: string) => `gateway.refresh:${stream}`

const claimLost = () =>
  new Failure(
    'store_unavailable',
    'The gateway lost its claim on the refresh of this connection. Try again in a moment.',
    {
      retryAfterSeconds: 2,
    },
  )
