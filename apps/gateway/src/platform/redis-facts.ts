import { Redis } from 'ioredis'

/** What an operator has to know about the Redis of REDIS_URL. */
export interface RedisFacts {
  /** As `7.0.15`. */
  readonly version: string
  /** What Redis does when its memory is full; with anything but `noeviction` it drops keys. Undefined where it does not say. */
  readonly evictionPolicy: string | undefined
  /** False when a key that was written could not be read back. */
  readonly keepsKeys: boolean
}

const TIMEOUT_MS = 3_000

/** Writes one key that expires within seconds. Rejects when Redis does not respond, or refuses. */
export async function redisFacts(url: string): Promise<RedisFacts> {
  const redis = new Redis(url, {
    lazyConnect: true,
    commandTimeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  let lastError: unknown
  redis.on('error', (error) => (lastError = error))
  try {
    await redis.connect()
    const info = await redis.info()
    const key = `notion-mcp-gateway:doctor:${crypto.randomUUID()}`
    await redis.set(key, 'written', 'EX', 10)
    const keepsKeys = (await redis.getdel(key).catch(() => redis.get(key))) === 'written'
    return {
      version: member(info, 'redis_version') ?? 'unknown',
      evictionPolicy: member(info, 'maxmemory_policy'),
      keepsKeys,
    }
  } catch (error) {
    // The connection's own error says more than "Connection is closed."
    throw lastError ?? error
  } finally {
    redis.disconnect()
  }
}

const member = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
