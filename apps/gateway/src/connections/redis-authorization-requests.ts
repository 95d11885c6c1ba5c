import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Failure } from '../platform/failure.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { AuthorizationRequests } from './authorization-requests.ts'

/** Time-out of the readiness ping, in milliseconds. */
const PING_MS = 500
/** Prefix of taken requests. It makes them unreadable for earlier releases, which ignore the mark and would redeem the code again. */
const TAKEN = '-'

/**
 * Marks the request as taken for its remaining lifetime, unless it is already: of ten concurrent callbacks, one wins. `KEYS`: the request, its
 * mark. A script is atomic, so the request cannot expire after `PTTL`.
 */
const TAKE = `local left = redis.call('PTTL', KEYS[1])
if left <= 0 then return 0 end
if not redis.call('SET', KEYS[2], '1', 'PX', left, 'NX') then return 0 end
redis.call('SET', KEYS[1], '${TAKEN}' .. redis.call('GET', KEYS[1]), 'PX', left)
return 1`

/** Stores the outcome for the remaining lifetime of the request. `KEYS`: the request, its outcome. */
const FINISH = `local left = redis.call('PTTL', KEYS[1])
if left > 0 then redis.call('SET', KEYS[2], ARGV[1], 'PX', left) end`

const key = (stateHash: string) => `notion-mcp-gateway:authorization-request:${stateHash}`
/** The hash tag puts these keys into the cluster slot of the request's own key. */
const takenKey = (stateHash: string) => `{${key(stateHash)}}:taken`
const outcomeKey = (stateHash: string) => `{${key(stateHash)}}:outcome`

/**
 * Does not throw; each operation rejects with {Failure} `store_unavailable` when Redis does not respond within two seconds.
 */
export function redisAuthorizationRequests(
  url: string,
  log: Log,
): AuthorizationRequests & { isUp(): Promise<boolean>; close(): Promise<void> } {
  const redis = new Redis(url, { commandTimeout: 2_000, connectTimeout: 2_000, maxRetriesPerRequest: 1 })
  let isLossLogged = false
  redis.on('error', (error) => {
    if (!isLossLogged) log.warn('redis.connection_lost', describeError(error))
    isLossLogged = true
  })
  redis.on('ready', () => {
    if (isLossLogged) log.info('redis.connected')
    isLossLogged = false
  })

  const guarded = async <T>(command: Promise<T>): Promise<T> => {
    try {
      return await command
    } catch (cause) {
      throw new Failure('store_unavailable', "The gateway's Redis is not responding. Try again in a moment.", {
        cause,
        retryAfterSeconds: 2,
      })
    }
  }

  return {
    async save(stateHash, sealed, ttlSeconds) {
      await guarded(redis.set(key(stateHash), sealed, 'PX', Math.ceil(ttlSeconds * 1000)))
    },
    async read(stateHash) {
      const [sealed, taken, outcome] = await guarded(
        redis.mget(key(stateHash), takenKey(stateHash), outcomeKey(stateHash)),
      )
      if (typeof sealed !== 'string') return undefined
      const text = sealed.startsWith(TAKEN) ? sealed.slice(TAKEN.length) : sealed
      return { sealed: text, isTaken: taken !== null, outcome: typeof outcome === 'string' ? new URL(outcome) : null }
    },
    async take(stateHash) {
      return (await guarded(redis.eval(TAKE, 2, key(stateHash), takenKey(stateHash)))) === 1
    },
    async finish(stateHash, outcome) {
      await guarded(redis.eval(FINISH, 2, key(stateHash), outcomeKey(stateHash), outcome.href))
    },
    async isUp() {
      // A command would wait for the connection, but readiness probes have short time-outs.
      if (redis.status !== 'ready') return false
      const late = sleep(PING_MS, false, { ref: false })
      return Promise.race([
        redis
          .ping()
          .then(() => true)
          .catch(() => false),
        late,
      ])
    },
    async close() {
      redis.disconnect()
    },
  }
}
