import { Redis } from 'ioredis'
import type { MarkStore } from './credential-mark.ts'
import { describeError, type Log } from '../../platform/log.ts'

/** Stores the higher mark. Lua compares numbers exactly up to 2^53. */
const RAISE = `local kept = tonumber(redis.call('GET', KEYS[1]) or '-1')
local mark = tonumber(ARGV[1])
if mark > kept then redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1] end
return redis.call('GET', KEYS[1])`

const key = (installation: string) => `notion-mcp-gateway:credential-mark:${installation}`

/** Stores the mark in Redis, shared by all replicas. Rejects when Redis does not respond within two seconds. */
export function redisMarkStore(url: string, log: Log): MarkStore & { close(): void } {
  const redis = new Redis(url, { commandTimeout: 2_000, connectTimeout: 2_000, maxRetriesPerRequest: 1 })
  redis.on('error', (error) => log.debug('redis.connection_lost', describeError(error)))
  return {
    async read(installation) {
      const kept = await redis.get(key(installation))
      return kept === null ? null : Number(kept)
    },
    async raise(installation, mark) {
      return Number(await redis.eval(RAISE, 1, key(installation), String(mark)))
    },
    close: () => redis.disconnect(),
  }
}
