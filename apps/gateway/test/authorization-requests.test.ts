import { hasRedis, testDatabase, testRedisUrl } from '@nmg/process/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAuthorizationRequests } from '../src/connections/postgres-authorization-requests.ts'
import { migrate, openPool } from '../src/platform/database.ts'
import { redisAuthorizationRequests } from '../src/connections/redis-authorization-requests.ts'
import { jsonLog } from '../src/platform/log.ts'
import type { AuthorizationRequests } from '../src/connections/authorization-requests.ts'

const log = jsonLog('silent')

interface Opened {
  readonly requests: AuthorizationRequests
  /** Takes the request as an earlier release does, which deletes it and ignores the mark. */
  takenAsBefore(stateHash: string): Promise<unknown>
  close(): Promise<void>
}

const adapters: Record<string, () => Promise<Opened>> = {
  async database() {
    const { url } = await testDatabase()
    await migrate(url)
    const sql = openPool(url, log)
    return {
      requests: postgresAuthorizationRequests(sql),
      async takenAsBefore(stateHash) {
        const statement = 'delete from gateway.authorization_requests where state_hash = $1 returning sealed'
        return (await sql.query<{ sealed: string }>(statement, [stateHash])).rows[0]?.sealed
      },
      close: () => sql.end(),
    }
  },
  async Redis() {
    const url = await testRedisUrl()
    const requests = redisAuthorizationRequests(url, log)
    const redis = new Redis(url)
    return {
      requests,
      takenAsBefore: (stateHash) => redis.get(`notion-mcp-gateway:authorization-request:${stateHash}`),
      async close() {
        redis.disconnect()
        await requests.close()
      },
    }
  },
}

for (const [name, open] of Object.entries(adapters)) {
  describe.skipIf(name === 'Redis' && !hasRedis())(`a pending authorization request in the ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())

    const outcome = new URL('https://app.test/settings?status=success')

    it('can be read as saved without being taken', async () => {
      await opened.requests.save('read', 'sealed', 60)
      const pending = { sealed: 'sealed', isTaken: false, outcome: null }
      expect(await opened.requests.read('read')).toEqual(pending)
      expect(await opened.requests.read('read')).toEqual(pending)
    })

    it('is taken once and keeps its outcome', async () => {
      await opened.requests.save('once', 'sealed', 60)
      expect(await opened.requests.take('once')).toBe(true)
      expect(await opened.requests.take('once')).toBe(false)
      expect(await opened.requests.read('once')).toEqual({ sealed: 'sealed', isTaken: true, outcome: null })
      await opened.requests.finish('once', outcome)
      expect(await opened.requests.read('once')).toEqual({ sealed: 'sealed', isTaken: true, outcome })
    })

    it('that was taken cannot be opened by an earlier release, which would redeem the code again', async () => {
      await opened.requests.save('rolling', '{"sealed":true}', 60)
      expect(await opened.requests.take('rolling')).toBe(true)
      const text = await opened.takenAsBefore('rolling')
      expect(() => JSON.parse(text as string) as unknown).toThrow(SyntaxError)
    })

    it('is taken by one of ten concurrent callbacks', async () => {
      await opened.requests.save('raced', 'sealed', 60)
      const taken = await Promise.all(Array.from({ length: 10 }, () => opened.requests.take('raced')))
      expect(taken.filter(Boolean)).toHaveLength(1)
    })

    it('is not found under an unknown state', async () => {
      expect(await opened.requests.read('never')).toBeUndefined()
      expect(await opened.requests.take('never')).toBe(false)
    })

    it('expires, taken or not, independently of others', async () => {
      await opened.requests.save('short', 'sealed', 0.05)
      await opened.requests.save('taken', 'sealed', 0.05)
      await opened.requests.take('taken')
      await opened.requests.finish('taken', outcome)
      await opened.requests.save('long', 'sealed', 60)
      // In real time, as both stores measure it themselves.
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(await opened.requests.read('short')).toBeUndefined()
      expect(await opened.requests.take('short')).toBe(false)
      expect(await opened.requests.read('taken')).toBeUndefined()
      expect(await opened.requests.take('long')).toBe(true)
    })
  })
}
