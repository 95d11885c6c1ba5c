/** Whoever takes a key back does it at one replica. All others must know at once, also when they cannot be told. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessKey } from '../../../src/clients/access-key.ts'
import type { InProcessGateway } from '../../support/gateway.ts'
import { call, scene } from '../clients.ts'

const on = scene()
let replica: InProcessGateway
beforeAll(async () => {
  replica = await on.replica()
})
afterAll(() => replica.stop())

const status = async (key: string, at: InProcessGateway) => (await call(key, on.endpoint('north', at))).status
const remove = (id: string, query = '') => on.gateway.fetch(`/access/keys/${id}${query}`, { method: 'DELETE' })

describe('a key that was deleted at one replica', () => {
  it('is refused there at once, and at the others, which had it in memory', async () => {
    const { id, key } = await on.newKey()
    for (const at of [on.gateway, replica]) expect(await status(key, at)).toBe(200)
    expect((await remove(id)).status).toBe(204)
    for (const at of [on.gateway, replica]) await expect.poll(() => status(key, at), { timeout: 1000 }).toBe(401)
    expect((await remove(id)).status).toBe(204)
  })

  it('is refused by a replica that could not hear of it', async () => {
    const { id, key } = await on.newKey()
    expect(await status(key, replica)).toBe(200)
    const database = new Client(on.gateway.databaseUrl)
    await database.connect()
    try {
      // Deleted behind everybody's back, and no line is left over which anybody could be told.
      await database.query('delete from gateway.access_keys where id = $1', [id])
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' or query = 'select 1'`,
      )
    } finally {
      await database.end()
    }
    await expect.poll(() => status(key, replica), { timeout: 5000 }).toBe(401)
    // Nor when it can hear again.
    const readiness = async () => (await fetch(`${replica.url}/readyz`)).json()
    await expect.poll(readiness, { timeout: 10_000 }).toEqual({ status: 'ready' })
    expect(await status(key, replica)).toBe(401)
  })

  it('is refused by a replica that sees it for the first time', async () => {
    const { id, key } = await on.newKey()
    await remove(id)
    expect(await status(key, replica)).toBe(401)
  })
})

describe('a key that never was', () => {
  it.each([
    ['made as keys are made', () => accessKey(randomBytes(32))],
    ['without its checksum', () => accessKey(randomBytes(32)).slice(0, -6)],
    ['with a wrong checksum', () => `${accessKey(randomBytes(32)).slice(0, -1)}_`],
    ['of the prefix alone', () => 'nmg_'],
  ])('%s is refused', async (_, make) => {
    expect(await status(make(), on.gateway)).toBe(401)
  })
})

it('a key is deleted only for the space and person that are named with it', async () => {
  const { id, key } = await on.newKey()
  await remove(id, '?space_id=south')
  await remove(id, '?space_id=north&user_id=ben')
  expect(await status(key, on.gateway)).toBe(200)
  await remove(id, '?space_id=north&user_id=ada')
  // The news comes from the database, to whoever deleted it as to everybody.
  await expect.poll(() => status(key, on.gateway)).toBe(401)
})
