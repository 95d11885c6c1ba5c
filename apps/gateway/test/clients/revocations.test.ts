/** Revocations take effect at once on every replica, also for open exchanges. */
import { ActiveClients } from '@nmg/contract'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { InProcessGateway } from '../support/gateway.ts'
import { call, initialize, clientFixture, tool } from './clients.ts'

const on = clientFixture()
let replica: InProcessGateway
beforeAll(async () => {
  replica = await on.replica()
  on.simulator.setOptions({ getStream: true, sessions: 'header' })
})
afterAll(() => replica.stop())
afterEach(() => on.simulator.clearRecorded())

const revoke = async (what: { spaceId?: string; userId?: string; clientId?: string; grantId?: string } = {}) => {
  const body = JSON.stringify({ spaceId: 'north', userId: 'ada', ...what })
  expect((await on.gateway.fetch('/access/revocations', { method: 'POST', body })).status).toBe(204)
  await notificationsDelivered()
}

/** Notifications arrive in order, so after this one both gateways have processed the earlier ones. */
async function notificationsDelivered(): Promise<void> {
  const { key, id } = await on.newKey({}, 'nobody-else')
  for (const at of [on.gateway, replica]) expect(await status(key, at)).toBe(200)
  expect((await on.gateway.fetch(`/access/keys/${id}`, { method: 'DELETE' })).status).toBe(204)
  for (const at of [on.gateway, replica]) await expect.poll(() => status(key, at)).toBe(401)
}
const status = async (credential: string, at = on.gateway) => (await call(credential, on.endpoint('north', at))).status
const now = () => Math.floor(Date.now() / 1000)
/** A token from the near future: it counts as issued after a revocation in the current second. */
const laterToken = () => on.token('north', { iat: now() + 2 })

/** Opens a response that continues until it is aborted. `isAborted` is false if it was completed instead. */
async function openResponse(credential: string, at: InProcessGateway, method: 'GET' | 'POST') {
  const response = await fetch(on.endpoint('north', at), {
    method,
    headers: {
      authorization: `Bearer ${credential}`,
      accept: 'application/json, text/event-stream',
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(method === 'POST' ? { body: JSON.stringify(tool('simulator-stream', { events: 1000, interval_ms: 50 })) } : {}),
  })
  expect(response.status).toBe(200)
  const end = response.text().then(
    () => ({ isAborted: false }),
    () => ({ isAborted: true }),
  )
  return { end }
}

describe('revoking all access of a user', () => {
  it('invalidates tokens and deletes keys, on every replica', async () => {
    const token = await on.token()
    const { key } = await on.newKey()
    for (const at of [on.gateway, replica])
      for (const credential of [token, key]) expect(await status(credential, at)).toBe(200)
    await revoke()
    for (const credential of [token, key]) {
      await expect.poll(() => status(credential), { timeout: 1000 }).toBe(401)
      await expect.poll(() => status(credential, replica), { timeout: 1000 }).toBe(401)
    }
    const response = await call(token, on.endpoint())
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", .*resource_metadata=/)
  })

  it('invalidates tokens that were not used before', async () => {
    const token = await on.token()
    await revoke()
    for (const at of [on.gateway, replica]) expect(await status(token, at)).toBe(401)
  })

  it('does not affect tokens issued afterwards', async () => {
    await revoke()
    expect(await status(await laterToken())).toBe(200)
  })

  it('invalidates tokens issued in the same second, because iat has no finer resolution', async () => {
    let second: number
    do {
      second = now()
      await revoke()
    } while (now() !== second)
    expect(await status(await on.token('north', { iat: second }))).toBe(401)
  })

  it('invalidates tokens that were used, even if the clock of their issuer is ahead', async () => {
    const token = await on.token('north', { iat: now() + 4 })
    expect(await status(token)).toBe(200)
    await revoke()
    await expect.poll(() => status(token), { timeout: 1000 }).toBe(401)
  })

  it('does not affect other users, or the user in other spaces', async () => {
    const ben = await on.token('north', { sub: 'ben' })
    const { key } = await on.newKey({}, 'ben')
    const south = await on.newKey({ spaceId: 'south' })
    await revoke()
    expect(await status(ben)).toBe(200)
    expect(await status(key)).toBe(200)
    expect((await call(south.key, on.endpoint('south'))).rpc.error?.data.reason).toBe('not_connected')
  })

  it('deletes the clients from the list', async () => {
    const token = await laterToken()
    await call(token, on.endpoint(), { body: initialize({}, 'Forgotten') })
    const names = async () => {
      const response = await on.gateway.fetch('/access/clients?space_id=north&user_id=ada')
      return ActiveClients.parse(await response.json()).clients.map(({ name }) => name)
    }
    await expect.poll(names).toContain('Forgotten')
    await revoke()
    expect(await names()).toEqual([])
  })
})

describe('revoking one client', () => {
  it('does not affect other clients and the keys of its user', async () => {
    const one = await on.token('north', { client_id: 'one', iat: now() + 2 })
    const other = await on.token('north', { client_id: 'other', iat: now() + 2 })
    const { key } = await on.newKey()
    for (const credential of [one, other]) expect(await status(credential)).toBe(200)
    await revoke({ clientId: 'one' })
    await expect.poll(() => status(one), { timeout: 1000 }).toBe(401)
    expect(await status(other)).toBe(200)
    expect(await status(key)).toBe(200)
  })
})

describe('revoking one grant', () => {
  const tokenOf = (grant: string | undefined, claims = {}) =>
    on.token('north', { client_id: 'shared', grant_id: grant, iat: now() + 2, ...claims })

  it.each([{ clientId: 'shared' }, {}])(
    'invalidates its tokens on every replica, and not those of other grants: %j',
    async (named) => {
      const grantId = crypto.randomUUID()
      const [laptop, desktop] = [await tokenOf(grantId), await tokenOf(crypto.randomUUID())]
      const { key } = await on.newKey()
      for (const at of [on.gateway, replica])
        for (const token of [laptop, desktop]) expect(await status(token, at)).toBe(200)
      await revoke({ ...named, grantId })
      for (const at of [on.gateway, replica]) {
        await expect.poll(() => status(laptop, at), { timeout: 1000 }).toBe(401)
        for (const credential of [desktop, key]) expect(await status(credential, at)).toBe(200)
      }
      // A revoked grant stays revoked, also for tokens with a later time of issue.
      expect(await status(await tokenOf(grantId, { iat: now() + 4, jti: 'later' }))).toBe(401)
    },
  )

  it('invalidates tokens that were not used before', async () => {
    const grantId = crypto.randomUUID()
    await revoke({ clientId: 'shared', grantId })
    for (const at of [on.gateway, replica]) expect(await status(await tokenOf(grantId), at)).toBe(401)
  })

  it('invalidates earlier tokens of its client without a grant id', async () => {
    const used = await tokenOf(undefined)
    const unused = await tokenOf(undefined, { iat: now() - 5 })
    const ofAnother = await tokenOf(undefined, { client_id: 'another' })
    for (const token of [used, ofAnother]) expect(await status(token)).toBe(200)
    await revoke({ clientId: 'shared', grantId: crypto.randomUUID() })
    await expect.poll(() => status(used), { timeout: 1000 }).toBe(401)
    for (const at of [on.gateway, replica]) expect(await status(unused, at)).toBe(401)
    expect(await status(ofAnother)).toBe(200)
  })

  it('aborts its streams, and not those of other grants', async () => {
    const grantId = crypto.randomUUID()
    const revoked = await openResponse(await tokenOf(grantId), replica, 'GET')
    const other = await openResponse(await tokenOf(crypto.randomUUID()), replica, 'GET')
    await revoke({ clientId: 'shared', grantId })
    expect(await revoked.end).toEqual({ isAborted: true })
    await revoke({ clientId: 'shared' })
    expect(await other.end).toEqual({ isAborted: true })
    expect(await status(await tokenOf(crypto.randomUUID(), { iat: now() + 4 }))).toBe(200)
  })
})

describe('an open exchange', () => {
  it.each([
    ['a stream', 'GET'],
    ['a call', 'POST'],
  ] as const)('is aborted on revocation, also on another replica: %s', async (_, method) => {
    const token = await laterToken()
    const { key } = await on.newKey({}, 'ben')
    const revoked = await Promise.all([openResponse(token, on.gateway, method), openResponse(token, replica, method)])
    const others = await openResponse(key, replica, method)
    await revoke()
    for (const { end } of revoked) expect(await end).toEqual({ isAborted: true })
    await expect.poll(() => on.simulator.recorded.mcpRequests.filter(({ aborted }) => aborted).length).toBe(2)

    await on.gateway.fetch('/access/revocations', {
      method: 'POST',
      body: JSON.stringify({ spaceId: 'north', userId: 'ben' }),
    })
    expect(await others.end).toEqual({ isAborted: true })
  })

  it('is aborted when its key is deleted on another replica', async () => {
    const { id, key } = await on.newKey({}, 'cleo')
    const { end } = await openResponse(key, replica, 'GET')
    await on.gateway.fetch(`/access/keys/${id}`, { method: 'DELETE' })
    expect(await end).toEqual({ isAborted: true })
  })

  it('without a response yet gets 503, because its outcome is unknown', async () => {
    const { key } = await on.newKey({}, 'cleo')
    on.simulator.options.mcpFaults.push({ kind: 'slow', delayMs: 20_000 })
    const response = call(key, on.endpoint('north', replica))
    await expect.poll(() => on.simulator.recorded.mcpRequests.length).toBe(1)
    await revoke({ userId: 'cleo' })
    const { status, headers, rpc } = await response
    expect(status).toBe(503)
    expect(headers.get('www-authenticate')).toBeNull()
    expect(rpc.error).toMatchObject({ code: 1039, message: expect.stringMatching(/^This access was revoked/) })
    await expect.poll(() => on.simulator.recorded.mcpRequests[0]?.aborted).toBe(true)
  })

  it('is aborted even if the notification was lost', async () => {
    const { id, key } = await on.newKey({}, 'cleo')
    const { end } = await openResponse(key, replica, 'GET')
    const database = new Client(on.gateway.databaseUrl)
    await database.connect()
    try {
      await database.query('delete from gateway.access_keys where id = $1', [id])
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' or query = 'select 1'`,
      )
    } finally {
      await database.end()
    }
    expect(await end).toEqual({ isAborted: true })
  })
})
