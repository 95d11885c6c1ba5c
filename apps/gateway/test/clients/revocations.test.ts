/** What is taken back ends at once, on every replica, also what is open. */
import { ActiveClients } from '@nmg/contract'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { InProcessGateway } from '../support/gateway.ts'
import { call, initialize, scene, tool } from './clients.ts'

const on = scene()
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
/** A token of a second from now: it counts as issued after a revocation of this second. */
const laterToken = () => on.token('north', { iat: now() + 2 })

/** An answer that goes on until somebody ends it: `isCut` when it broke off instead of ending. */
async function openAnswer(credential: string, at: InProcessGateway, method: 'GET' | 'POST') {
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
    () => ({ isCut: false }),
    () => ({ isCut: true }),
  )
  return { end }
}

describe('the end of all access of a person', () => {
  it('refuses their tokens and deletes their keys, here and at the other replicas', async () => {
    const token = await on.token()
    const { key } = await on.newKey()
    for (const at of [on.gateway, replica]) for (const one of [token, key]) expect(await status(one, at)).toBe(200)
    await revoke()
    for (const one of [token, key]) {
      await expect.poll(() => status(one), { timeout: 1000 }).toBe(401)
      await expect.poll(() => status(one, replica), { timeout: 1000 }).toBe(401)
    }
    const answer = await call(token, on.endpoint())
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", .*resource_metadata=/)
  })

  it('refuses tokens that nobody had seen before', async () => {
    const token = await on.token()
    await revoke()
    for (const at of [on.gateway, replica]) expect(await status(token, at)).toBe(401)
  })

  it('leaves tokens that are issued afterwards', async () => {
    await revoke()
    expect(await status(await laterToken())).toBe(200)
  })

  it('counts by the second in which a token was issued, because tokens say no more', async () => {
    await revoke()
    expect(await status(await on.token('north', { iat: now() }))).toBe(401)
  })

  it('ends tokens that were seen, even if the clock of their issuer is ahead', async () => {
    const token = await on.token('north', { iat: now() + 4 })
    expect(await status(token)).toBe(200)
    await revoke()
    await expect.poll(() => status(token), { timeout: 1000 }).toBe(401)
  })

  it('leaves other persons, and the person in other spaces', async () => {
    const ben = await on.token('north', { sub: 'ben' })
    const { key } = await on.newKey({}, 'ben')
    const south = await on.newKey({ spaceId: 'south' })
    await revoke()
    expect(await status(ben)).toBe(200)
    expect(await status(key)).toBe(200)
    expect((await call(south.key, on.endpoint('south'))).rpc.error?.data.reason).toBe('not_connected')
  })

  it('forgets the clients that were seen', async () => {
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

describe('the end of one client', () => {
  it('leaves the other clients and the keys of its person', async () => {
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

describe('the end of one grant', () => {
  const tokenOf = (grant: string | undefined, claims = {}) =>
    on.token('north', { client_id: 'shared', grant_id: grant, iat: now() + 2, ...claims })

  it.each([{ clientId: 'shared' }, {}])(
    'refuses its tokens on every replica and leaves those of other grants: %j',
    async (named) => {
      const grantId = crypto.randomUUID()
      const [laptop, desktop] = [await tokenOf(grantId), await tokenOf(crypto.randomUUID())]
      const { key } = await on.newKey()
      for (const at of [on.gateway, replica])
        for (const one of [laptop, desktop]) expect(await status(one, at)).toBe(200)
      await revoke({ ...named, grantId })
      for (const at of [on.gateway, replica]) {
        await expect.poll(() => status(laptop, at), { timeout: 1000 }).toBe(401)
        for (const one of [desktop, key]) expect(await status(one, at)).toBe(200)
      }
      // The grant does not come back, so neither does a token that says it was issued later.
      expect(await status(await tokenOf(grantId, { iat: now() + 4, jti: 'later' }))).toBe(401)
    },
  )

  it('refuses tokens that nobody had seen before', async () => {
    const grantId = crypto.randomUUID()
    await revoke({ clientId: 'shared', grantId })
    for (const at of [on.gateway, replica]) expect(await status(await tokenOf(grantId), at)).toBe(401)
  })

  it('refuses tokens of its client that name no grant, and that were issued before', async () => {
    const seen = await tokenOf(undefined)
    const unseen = await tokenOf(undefined, { iat: now() - 5 })
    const ofAnother = await tokenOf(undefined, { client_id: 'another' })
    for (const one of [seen, ofAnother]) expect(await status(one)).toBe(200)
    await revoke({ clientId: 'shared', grantId: crypto.randomUUID() })
    await expect.poll(() => status(seen), { timeout: 1000 }).toBe(401)
    for (const at of [on.gateway, replica]) expect(await status(unseen, at)).toBe(401)
    expect(await status(ofAnother)).toBe(200)
  })

  it('breaks off its streams and leaves those of other grants', async () => {
    const grantId = crypto.randomUUID()
    const cut = await openAnswer(await tokenOf(grantId), replica, 'GET')
    const other = await openAnswer(await tokenOf(crypto.randomUUID()), replica, 'GET')
    await revoke({ clientId: 'shared', grantId })
    expect(await cut.end).toEqual({ isCut: true })
    await revoke({ clientId: 'shared' })
    expect(await other.end).toEqual({ isCut: true })
    expect(await status(await tokenOf(crypto.randomUUID(), { iat: now() + 4 }))).toBe(200)
  })
})

describe('what is open', () => {
  it.each([
    ['a stream', 'GET'],
    ['the answer to a call', 'POST'],
  ] as const)('breaks off, also at another replica: %s', async (_, method) => {
    const token = await laterToken()
    const { key } = await on.newKey({}, 'ben')
    const cut = await Promise.all([openAnswer(token, on.gateway, method), openAnswer(token, replica, method)])
    const others = await openAnswer(key, replica, method)
    await revoke()
    for (const { end } of cut) expect(await end).toEqual({ isCut: true })
    await expect.poll(() => on.simulator.recorded.mcpRequests.filter(({ aborted }) => aborted).length).toBe(2)

    await on.gateway.fetch('/access/revocations', {
      method: 'POST',
      body: JSON.stringify({ spaceId: 'north', userId: 'ben' }),
    })
    expect(await others.end).toEqual({ isCut: true })
  })

  it('with a key that is deleted breaks off, also at another replica', async () => {
    const { id, key } = await on.newKey({}, 'cleo')
    const { end } = await openAnswer(key, replica, 'GET')
    await on.gateway.fetch(`/access/keys/${id}`, { method: 'DELETE' })
    expect(await end).toEqual({ isCut: true })
  })

  it('and not answered yet is answered with 503, because its outcome is unknown', async () => {
    const { key } = await on.newKey({}, 'cleo')
    on.simulator.options.mcpFaults.push({ kind: 'slow', delayMs: 20_000 })
    const answer = call(key, on.endpoint('north', replica))
    await expect.poll(() => on.simulator.recorded.mcpRequests.length).toBe(1)
    await revoke({ userId: 'cleo' })
    const { status, headers, rpc } = await answer
    expect(status).toBe(503)
    expect(headers.get('www-authenticate')).toBeNull()
    expect(rpc.error).toMatchObject({ code: 1039, message: expect.stringMatching(/^This access was revoked/) })
    await expect.poll(() => on.simulator.recorded.mcpRequests[0]?.aborted).toBe(true)
  })

  it('breaks off although the news of it was lost', async () => {
    const { id, key } = await on.newKey({}, 'cleo')
    const { end } = await openAnswer(key, replica, 'GET')
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
    expect(await end).toEqual({ isCut: true })
  })
})
