import { hasRedis, testDatabase, testRedisUrl } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAuthorizationRequests } from '../src/adapters/postgres/authorization-requests.ts'
import { migrate, openPool } from '../src/adapters/postgres/database.ts'
import { redisAuthorizationRequests } from '../src/adapters/redis/authorization-requests.ts'
import { jsonLog } from '../src/log.ts'
import type { AuthorizationRequests } from '../src/ports.ts'

const log = jsonLog('silent')

const adapters: Record<string, () => Promise<{ requests: AuthorizationRequests; close(): Promise<void> }>> = {
  async database() {
    const { url } = await testDatabase()
    await migrate(url)
    const sql = openPool(url, log)
    return { requests: postgresAuthorizationRequests(sql), close: () => sql.end() }
  },
  async Redis() {
    const requests = redisAuthorizationRequests(await testRedisUrl(), log)
    return { requests, close: () => requests.close() }
  },
}

for (const [name, open] of Object.entries(adapters)) {
  describe.skipIf(name === 'Redis' && !hasRedis())(`a pending authorization request in the ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())

    it('is taken once, as it was saved', async () => {
      await opened.requests.save('once', 'sealed', 60)
      expect(await opened.requests.take('once')).toBe('sealed')
      expect(await opened.requests.take('once')).toBeUndefined()
    })

    it('is taken by one of ten callbacks that come at once', async () => {
      await opened.requests.save('raced', 'sealed', 60)
      const taken = await Promise.all(Array.from({ length: 10 }, () => opened.requests.take('raced')))
      expect(taken.filter((sealed) => sealed === 'sealed')).toHaveLength(1)
      expect(taken.filter((sealed) => sealed === undefined)).toHaveLength(9)
    })

    it('is not found under a state that was never given out', async () => {
      expect(await opened.requests.take('never')).toBeUndefined()
    })

    it('is gone after its time, though others are still there', async () => {
      await opened.requests.save('short', 'sealed', 0.02)
      await opened.requests.save('long', 'sealed', 60)
      // Real time is what is tested here: both stores keep it themselves.
      await new Promise((resolve) => setTimeout(resolve, 60))
      expect(await opened.requests.take('short')).toBeUndefined()
      expect(await opened.requests.take('long')).toBe('sealed')
    })
  })
}
