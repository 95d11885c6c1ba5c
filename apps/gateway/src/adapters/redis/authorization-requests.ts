import { Redis } from 'ioredis'
import { Failure } from '../../failure.ts'
import { describeError, type Log } from '../../log.ts'
import type { AuthorizationRequests } from '../../ports.ts'

/** A script, since GETDEL is only known to Redis 6.2 and newer: of ten callbacks at once, one wins. */
const TAKE = `local sealed = redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1]) return sealed`

const key = (stateHash: string) => `notion-mcp-gateway:authorization-request:${stateHash}`

/**
 * @throws nothing here; each call throws {Failure} `store_unavailable` when Redis does not answer within two seconds.
 */
export function redisAuthorizationRequests(
  url: string,
  log: Log,
): AuthorizationRequests & { ping(): Promise<void>; close(): Promise<void> } {
  const redis = new Redis(url, { commandTimeout: 2_000, connectTimeout: 2_000, maxRetriesPerRequest: 1 })
  redis.on('error', (error) => log.warn('redis.connection_lost', describeError(error)))

  const guarded = async <T>(command: Promise<T>): Promise<T> => {
    try {
      return await command
    } catch (cause) {
      throw new Failure('store_unavailable', "The gateway's Redis does not answer. Try again in a moment.", {
        cause,
        retryAfterSeconds: 2,
      })
    }
  }

  return {
    async save(stateHash, sealed, ttlSeconds) {
      await guarded(redis.set(key(stateHash), sealed, 'PX', Math.ceil(ttlSeconds * 1000)))
    },
    async take(stateHash) {
      const sealed = await guarded(redis.eval(TAKE, 1, key(stateHash)))
      return typeof sealed === 'string' ? sealed : undefined
    },
    async ping() {
      await guarded(redis.ping())
    },
    async close() {
      redis.disconnect()
    },
  }
}
