import { AccessKeys, CreatedAccessKey, ActiveClients } from '@nmg/contract'
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { encodeAccessKey } from '../../src/clients/access-key.ts'
import { call, initialize, LIST, modern, clientFixture } from './clients.ts'

const on = clientFixture()
const post = (path: string, body: unknown, init: RequestInit & { user?: string | null } = {}) =>
  on.gateway.fetch(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init })
const keysOf = async (query: string) =>
  AccessKeys.parse(await (await on.gateway.fetch(`/access/keys?${query}`)).json()).keys
const key = { spaceId: 'north', scope: 'notion:read', name: 'CI' }

describe('a new key', () => {
  it('is returned once, in a format that secret scanners recognize', async () => {
    const response = await post('/access/keys', { ...key, expiresAt: '2099-01-01T00:00:00+01:00' })
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const created = CreatedAccessKey.parse(await response.json())
    expect(created.key).toMatch(/^nmg_[0-9A-Za-z]{49}$/)
    expect(created).toMatchObject({ ...key, userId: 'ada', expiresAt: '2098-12-31T23:00:00.000Z' })
    const [listed] = await keysOf('space_id=north&user_id=ada')
    expect(listed).toEqual({ ...created, key: undefined })
  })

  it('is stored only as a hash, and never logged', async () => {
    const { key: text } = await on.newKey()
    await call(text, on.endpoint())
    const database = new Client(on.gateway.databaseUrl)
    await database.connect()
    const { rows } = await database.query<{ row: string }>('select k::text as row from gateway.access_keys k')
    await database.end()
    expect(rows.length).toBeGreaterThan(0)
    // Also as hex, because the database prints bytes as hex.
    for (const secret of [text, text.slice(0, 12), Buffer.from(text).toString('hex')]) {
      expect(rows.map(({ row }) => row).join('\n')).not.toContain(secret)
      expect(on.gateway.logs()).not.toContain(secret)
    }
  })

  it.each([
    ['an invalid JSON body', '{', 400, 'invalid_json'],
    ['no space', { ...key, spaceId: undefined }, 400, 'invalid_request'],
    ['a space with a control character', { ...key, spaceId: 'a\nb' }, 400, 'invalid_request'],
    ['no name', { ...key, name: ' ' }, 400, 'invalid_request'],
    ['an unknown scope', { ...key, scope: 'notion:admin' }, 400, 'invalid_request'],
    ['an expiry in the past', { ...key, expiresAt: '2020-01-01T00:00:00Z' }, 400, 'invalid_request'],
    ['an expiry that is not a time', { ...key, expiresAt: 'tomorrow' }, 400, 'invalid_request'],
    ['a very large body', { ...key, more: 'x'.repeat(20_000) }, 413, 'too_large'],
  ])('with %s is rejected', async (_, body, status, code) => {
    const response = await post('/access/keys', body)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ code })
  })

  it.each([
    ['of the maximum size, in chunks', 16 * 1024, 201],
    ['a byte larger, in chunks', 16 * 1024 + 1, 413],
    ['much larger, in chunks', 2_000_000, 413],
  ])('with a body %s gets a status by its size', async (_, size, status) => {
    const text = JSON.stringify(key).padEnd(size)
    const chunks = Array.from({ length: Math.ceil(size / 8192) }, (__, i) => text.slice(i * 8192, (i + 1) * 8192))
    const response = await on.gateway.fetch('/access/keys', {
      method: 'POST',
      body: ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk))),
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(status)
  })

  it('is accepted during hundreds of requests with keys that do not exist', async () => {
    const { key: validKey } = await on.newKey()
    const database = new Client(on.gateway.databaseUrl)
    await database.connect()
    let responses: Promise<number>[]
    try {
      // The lock holds back all look-ups until every request has arrived.
      await database.query('begin; lock table gateway.access_keys in access exclusive mode')
      const invalid = Array.from({ length: 600 }, () => call(encodeAccessKey(randomBytes(32)), on.endpoint()))
      responses = [...invalid, call(validKey, on.endpoint())].map(async (response) => (await response).status)
      const connections = () =>
        new Promise<number>((resolve) => on.gateway.gateway.server.getConnections((_, count) => resolve(count)))
      await expect.poll(connections).toBeGreaterThan(600)
    } finally {
      await database.query('rollback')
      await database.end()
    }
    const statuses = await Promise.all(responses)
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([401]))
    expect(statuses.at(-1)).toBe(200)
  })

  it('can be created only by an application, for a user', async () => {
    const own = (await on.newKey()).key
    const attempts = [
      await post('/access/keys', key, { user: null }),
      await post('/access/keys', key, { headers: { authorization: `Bearer ${own}` } }),
      await on.gateway.fetch('/access/keys?space_id=north', { headers: { authorization: `Bearer ${own}` } }),
      await on.gateway.fetch('/access/clients?space_id=north', { headers: { authorization: 'Bearer x' } }),
      await post(
        '/access/revocations',
        { spaceId: 'north', userId: 'ada' },
        { headers: { authorization: `Bearer ${own}` } },
      ),
    ]
    for (const response of attempts) expect(response.status).toBe(401)
  })

  it('is rejected after the limit of 100', async () => {
    for (let i = 0; i < 100; i++) await on.newKey({ spaceId: 'east' })
    expect((await post('/access/keys', { ...key, spaceId: 'east' })).status).toBe(400)
  })
})

describe('the list of keys', () => {
  it('covers one space, or one user in it', async () => {
    await on.newKey({ spaceId: 'west', name: 'one' }, 'ada')
    await on.newKey({ spaceId: 'west', name: 'two' }, 'ben')
    expect((await keysOf('space_id=west')).map(({ name }) => name)).toEqual(['two', 'one'])
    expect((await keysOf('space_id=west&user_id=ada')).map(({ name }) => name)).toEqual(['one'])
    expect((await on.gateway.fetch('/access/keys')).status).toBe(400)
  })

  it('contains the approximate time of last use', async () => {
    const { id, key: text } = await on.newKey({ name: 'used' })
    const lastUse = async () => (await keysOf('space_id=north')).find((one) => one.id === id)?.lastUsedAt
    expect(await lastUse()).toBeUndefined()
    await call(text, on.endpoint())
    await expect.poll(lastUse).toBeDefined()
    const first = await lastUse()
    await call(text, on.endpoint())
    await call(text, on.endpoint())
    expect(await lastUse()).toBe(first)
  })
})

describe('the list of clients', () => {
  const clientsOf = async (query: string) =>
    ActiveClients.parse(await (await on.gateway.fetch(`/access/clients?${query}`)).json()).clients

  it('contains a client after its first call, with the name from initialize', async () => {
    const { id, key: text } = await on.newKey({ spaceId: 'seen-1' })
    expect(await clientsOf('space_id=seen-1')).toEqual([])
    await call(text, on.endpoint('seen-1'), { body: initialize({}, 'Old Editor') })
    await expect
      .poll(() => clientsOf('space_id=seen-1'))
      .toEqual([
        {
          keyId: id,
          userId: 'ada',
          name: 'Old Editor',
          version: '1.2.3',
          era: '2025',
          firstSeenAt: expect.any(String),
          lastSeenAt: expect.any(String),
        },
      ])
  })

  it('contains a client of 2026-07-28, with the name from _meta', async () => {
    const token = await on.token('seen-2', { client_id: 'https://editor.example/client.json' })
    await call(token, on.endpoint('seen-2'), { body: modern(LIST, {}, 'New Editor') })
    await expect
      .poll(async () => (await clientsOf('space_id=seen-2&user_id=ada'))[0])
      .toMatchObject({
        clientId: 'https://editor.example/client.json',
        name: 'New Editor',
        version: '2.0.0',
        era: '2026',
      })
    expect(await clientsOf('space_id=seen-2&user_id=ben')).toEqual([])
  })

  it('contains a client that sends no name', async () => {
    const { key: text } = await on.newKey({ spaceId: 'seen-3' })
    await call(text, on.endpoint('seen-3'))
    await expect.poll(async () => (await clientsOf('space_id=seen-3'))[0]).toMatchObject({ name: '', era: '2025' })
  })

  it('contains the most recent client names of a key, sanitized and truncated', async () => {
    const { key: text } = await on.newKey({ spaceId: 'seen-4' })
    for (let i = 0; i < 25; i++) {
      await call(text, on.endpoint('seen-4'), { body: initialize({}, `Client ${i}\u202e\n${'x'.repeat(200)}`) })
    }
    await expect.poll(async () => (await clientsOf('space_id=seen-4'))[0]?.name.startsWith('Client 24 x')).toBe(true)
    const clients = await clientsOf('space_id=seen-4')
    expect(clients).toHaveLength(20)
    for (const { name } of clients) expect(name).toMatch(/^Client \d+ x+$/)
    expect(clients[0]?.name).toHaveLength(100)
  })

  it('no longer contains the clients of a deleted key', async () => {
    const { id, key: text } = await on.newKey({ spaceId: 'seen-5' })
    await call(text, on.endpoint('seen-5'), { body: initialize() })
    await expect.poll(async () => (await clientsOf('space_id=seen-5')).length).toBe(1)
    await on.gateway.fetch(`/access/keys/${id}`, { method: 'DELETE' })
    expect(await clientsOf('space_id=seen-5')).toEqual([])
  })
})
