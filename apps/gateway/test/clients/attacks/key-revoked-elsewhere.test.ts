/** A key is deleted on one replica. All others must reject it at once, even if they miss the notification. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeAccessKey } from '../../../src/clients/access-key.ts'
import type { InProcessGateway } from '../../support/gateway.ts'
import { call, clientFixture } from '../clients.ts'

const on = clientFixture()
let replica: InProcessGateway
beforeAll(async () => {
  replica = await on.replica()
})
afterAll(() => replica.stop())

const status = async (key: string, at: InProcessGateway) => (await call(key, on.endpoint('north', at))).status
const remove = (id: string, query = '') => on.gateway.fetch(`/access/keys/${id}${query}`, { method: 'DELETE' })

describe('a key that was deleted on one replica', () => {
  it('is rejected at once there, and on the others, which had it in the cache', async () => {
    const { id, key } = await on.newKey()
    for (const at of [on.gateway, replica]) expect(await status(key, at)).toBe(200)
    expect((await remove(id)).status).toBe(204)
    for (const at of [on.gateway, replica]) await expect.poll(() => status(key, at), { timeout: 1000 }).toBe(401)
    expect((await remove(id)).status).toBe(204)
  })

  it('is rejected by a replica that missed the notification', async () => {
    const { id, key } = await on.newKey()
    expect(await status(key, replica)).toBe(200)
    const database = new Client(on.gateway.databaseUrl)
    await database.connect()
    try {
      // Deletes the key without a notification, and closes the connections for notifications.
      await database.query('delete from gateway.access_keys where id = $1', [id])
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' or query = 'select 1'`,
      )
    } finally {
      await database.end()
    }
    await expect.poll(() => status(key, replica), { timeout: 5000 }).toBe(401)
    // Also after the connection for notifications is restored.
    const readiness = async () => (await fetch(`${replica.url}/readyz`)).json()
    await expect.poll(readiness, { timeout: 10_000 }).toEqual({ status: 'ready' })
    expect(await status(key, replica)).toBe(401)
  })

  it('is rejected by a replica that receives it for the first time', async () => {
    const { id, key } = await on.newKey()
    await remove(id)
    expect(await status(key, replica)).toBe(401)
  })
})

describe('a key that never existed', () => {
  it.each([
    ['in the correct format', () => encodeAccessKey(randomBytes(32))],
    ['without its checksum', () => encodeAccessKey(randomBytes(32)).slice(0, -6)],
    ['with a wrong checksum', () => `${encodeAccessKey(randomBytes(32)).slice(0, -1)}_`],
    ['with only the prefix', () => 'nmg_'],
  ])('%s is rejected', async (_, make) => {
    expect(await status(make(), on.gateway)).toBe(401)
  })
})

it('a key is deleted only if the given space and user match', async () => {
  const { id, key } = await on.newKey()
  await remove(id, '?space_id=south')
  await remove(id, '?space_id=north&user_id=ben')
  expect(await status(key, on.gateway)).toBe(200)
  await remove(id, '?space_id=north&user_id=ada')
  // The deleting replica also learns of it through the notification.
  await expect.poll(() => status(key, on.gateway)).toBe(401)
})
