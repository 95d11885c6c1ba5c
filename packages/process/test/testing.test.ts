import { chromiumPath, hasRedis, testDatabase, testRedisUrl } from '@nmg/process/testing'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'

describe('a test database', () => {
  it('is empty, separate, and owned by a user without privileges', async () => {
    const [one, two] = await Promise.all([testDatabase(), testDatabase()])
    for (const { url } of [one, two]) {
      const client = new Client(url)
      await client.connect()
      await client.query('create table people (name text)')
      const { rows } = await client.query<{ rolsuper: boolean }>(
        'select rolsuper from pg_roles where rolname = current_user',
      )
      await client.end()
      expect(rows).toEqual([{ rolsuper: false }])
    }
    await Promise.all([one.drop(), two.drop()])
  })
})

describe.skipIf(!hasRedis())('a test Redis', () => {
  it('is a separate database for each caller', async () => {
    expect(await testRedisUrl()).not.toBe(await testRedisUrl())
  })
})

it('chromiumPath returns an absolute path if a browser is installed', () => {
  expect(chromiumPath() ?? '/none').toMatch(/^\//)
})
