import { AccessKeys, CreatedAccessKey, ActiveClients } from '@nmg/contract'
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { accessKey } from '../../src/clients/access-key.ts'
import { call, initialize, LIST, modern, scene } from './clients.ts'

const on = scene()
const post = (path: string, body: unknown, init: RequestInit & { user?: string | null } = {}) =>
  on.gateway.fetch(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init })
const keysOf = async (query: string) =>
  AccessKeys.parse(await (await on.gateway.fetch(`/access/keys?${query}`)).json()).keys
const key = { spaceId: 'north', scope: 'notion:read', name: 'CI' }

describe('a new key', () => {
  it('is told once, in a form that secret scanners find', async () => {
    const response = await post('/access/keys', { ...key, expiresAt: '2099-01-01T00:00:00+01:00' })
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const created = CreatedAccessKey.parse(await response.json())
    expect(created.key).toMatch(/^nmg_[0-9A-Za-z]{49}$/)
    expect(created).toMatchObject({ ...key, userId: 'ada', expiresAt: '2098-12-31T23:00:00.000Z' })
    const [listed] = await keysOf('space_id=north&user_id=ada')
    expect(listed).toEqual({ ...created, key: undefined })
  })

  it('is kept as a hash only, and is in no log', async () => {
    const { key: text } = await on.newKey()
    await call(text, on.endpoint())
    const database = new Client(on.gateway.databaseUrl)
    await database.connect()
    const { rows } = await database.query<{ row: string }>('select k::text as row from gateway.access_keys k')
    await database.end()
    expect(rows.length).toBeGreaterThan(0)
    // Hex, as the database prints bytes, as well as text.
    for (const secret of [text, text.slice(0, 12), Buffer.from(text).toString('hex')]) {
      expect(rows.map(({ row }) => row).join('\n')).not.toContain(secret)
      expect(on.gateway.logs()).not.toContain(secret)
    }
  })

  it.each([
    ['no JSON', '{', 400, 'invalid_json'],
    ['no space', { ...key, spaceId: undefined }, 400, 'invalid_request'],
    ['a space with a control character', { ...key, spaceId: 'a\nb' }, 400, 'invalid_request'],
    ['no name', { ...key, name: ' ' }, 400, 'invalid_request'],
    ['another scope', { ...key, scope: 'notion:admin' }, 400, 'invalid_request'],
    ['an end in the past', { ...key, expiresAt: '2020-01-01T00:00:00Z' }, 400, 'invalid_request'],
    ['an end that is no time', { ...key, expiresAt: 'tomorrow' }, 400, 'invalid_request'],
    ['a very long body', { ...key, more: 'x'.repeat(20_000) }, 413, 'too_large'],
  ])('with %s is refused', async (_, body, status, code) => {
    const response = await post('/access/keys', body)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ code })
  })

  it.each([
    ['as large as may be, in chunks', 16 * 1024, 201],
    ['a byte larger, in chunks', 16 * 1024 + 1, 413],
    ['much larger, in chunks', 2_000_000, 413],
  ])('with a body %s is judged by its bytes', async (_, size, status) => {
    const text = JSON.stringify(key).padEnd(size)
    const pieces = Array.from({ length: Math.ceil(size / 8192) }, (__, i) => text.slice(i * 8192, (i + 1) * 8192))
    const response = await on.gateway.fetch('/access/keys', {
      method: 'POST',
      body: ReadableStream.from(pieces.map((piece) => Buffer.from(piece))),
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(status)
  })

  it('is accepted while hundreds of keys that do not exist are presented', async () => {
    const { key: genuine } = await on.newKey()
    const database = new Client(on.gateway.databaseUrl)
    await database.connect()
    let answers: Promise<number>[]
    try {
      // Nothing is looked up before all have come.
      await database.query('begin; lock table gateway.access_keys in access exclusive mode')
      const wrong = Array.from({ length: 600 }, () => call(accessKey(randomBytes(32)), on.endpoint()))
      answers = [...wrong, call(genuine, on.endpoint())].map(async (answer) => (await answer).status)
      const connections = () =>
        new Promise<number>((resolve) => on.gateway.gateway.server.getConnections((_, count) => resolve(count)))
      await expect.poll(connections).toBeGreaterThan(600)
    } finally {
      await database.query('rollback')
      await database.end()
    }
    const statuses = await Promise.all(answers)
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([401]))
    expect(statuses.at(-1)).toBe(200)
  })

  it('is made by an application for a person, and by nobody else', async () => {
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

  it('is one of a hundred at most', async () => {
    for (let i = 0; i < 100; i++) await on.newKey({ spaceId: 'east' })
    expect((await post('/access/keys', { ...key, spaceId: 'east' })).status).toBe(400)
  })
})

describe('the list of keys', () => {
  it('is that of one space, or of one person in it', async () => {
    await on.newKey({ spaceId: 'west', name: 'one' }, 'ada')
    await on.newKey({ spaceId: 'west', name: 'two' }, 'ben')
    expect((await keysOf('space_id=west')).map(({ name }) => name)).toEqual(['two', 'one'])
    expect((await keysOf('space_id=west&user_id=ada')).map(({ name }) => name)).toEqual(['one'])
    expect((await on.gateway.fetch('/access/keys')).status).toBe(400)
  })

  it('says about when a key was used last', async () => {
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

  it('shows a client as soon as it first calls, by the name that it gives itself', async () => {
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

  it('shows a client of 2026-07-28, which says its name with each request', async () => {
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

  it('shows a program that does not say its name', async () => {
    const { key: text } = await on.newKey({ spaceId: 'seen-3' })
    await call(text, on.endpoint('seen-3'))
    await expect.poll(async () => (await clientsOf('space_id=seen-3'))[0]).toMatchObject({ name: '', era: '2025' })
  })

  it('shows each name of a key that several clients use, the last ones, and only what can be read', async () => {
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

  it('forgets the clients of a key that is deleted', async () => {
    const { id, key: text } = await on.newKey({ spaceId: 'seen-5' })
    await call(text, on.endpoint('seen-5'), { body: initialize() })
    await expect.poll(async () => (await clientsOf('space_id=seen-5')).length).toBe(1)
    await on.gateway.fetch(`/access/keys/${id}`, { method: 'DELETE' })
    expect(await clientsOf('space_id=seen-5')).toEqual([])
  })
})
