import { createHash } from 'node:crypto'
import { testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { invite, newUser, type UserClient } from '@/test/support/user.ts'
import { startProduct, type Product } from '@/test/support/product.ts'

let product: Product
let database: Client
/** Of one space: Ada owns it, Cem is an admin, Ben a member. Dora has only her own. */
let ada: UserClient
let cem: UserClient
let ben: UserClient
let dora: UserClient
let people = 0

beforeAll(async () => {
  const { url } = await testDatabase()
  product = await startProduct({ DATABASE_URL: url })
  database = new Client({ connectionString: url })
  await database.connect()
})

afterAll(async () => {
  await database?.end()
  await product?.stop()
})

const user = async (name: string) =>
  newUser(product.webUrl, {
    name,
    email: `${name.toLowerCase()}-${++people}@north.test`,
    password: 'a-good-password',
  })

const send = (who: UserClient, method: string, path: string, body?: unknown) =>
  who.fetch(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code

const rolesOf = async (spaceId: string) => {
  const { rows } = await database.query<{ userId: string; role: string }>(
    'select "userId", role from web.member where "organizationId" = $1',
    [spaceId],
  )
  return new Map(rows.map((row) => [row.userId, row.role]))
}

const linkOf = async (response: Response) => {
  expect(response.status).toBe(201)
  return new URL(((await response.json()) as { link: string }).link).pathname
}

const join = (who: UserClient, link: string) => send(who, 'POST', `/api${link}`)

describe('permissions in a space', () => {
  beforeAll(async () => {
    ada = await user('Ada')
    cem = await user('Cem')
    ben = await user('Ben')
    dora = await user('Dora')
  })

  beforeEach(async () => {
    await database.query('delete from web.member where "organizationId" = $1 and "userId" <> $2', [ada.spaceId, ada.id])
    await database.query(`update web.member set role = 'owner' where "organizationId" = $1`, [ada.spaceId])
    await database.query('delete from web.space_invitation')
    await invite(ada, cem, 'admin')
    await invite(ada, ben, 'member')
  })

  interface RouteCase {
    readonly route: string
    readonly method: string
    /** About the space of Ada, and about this user where it is about one. */
    readonly path: (target: UserClient) => string
    readonly body?: (target: UserClient) => unknown
    readonly target?: () => UserClient
    /** The status for each role, and for somebody who is no member. */
    readonly owner: number
    readonly admin: number
    readonly member: number
  }

  const space = () => `/api/spaces/${ada.spaceId}`
  const memberPath = (target: UserClient) => `${space()}/members/${target.id}`
  const eve = () => dora

  const table: readonly RouteCase[] = [
    {
      route: 'rename',
      method: 'PATCH',
      path: space,
      body: () => ({ name: 'North' }),
      owner: 204,
      admin: 204,
      member: 403,
    },
    { route: 'enter', method: 'POST', path: () => `${space()}/enter`, owner: 204, admin: 204, member: 204 },
    {
      route: 'invite a member',
      method: 'POST',
      path: () => `${space()}/invitations`,
      body: () => ({ role: 'member' }),
      owner: 201,
      admin: 201,
      member: 403,
    },
    {
      route: 'invite an admin',
      method: 'POST',
      path: () => `${space()}/invitations`,
      body: () => ({ role: 'admin' }),
      owner: 201,
      admin: 201,
      member: 403,
    },
    {
      route: 'invite an owner',
      method: 'POST',
      path: () => `${space()}/invitations`,
      body: () => ({ role: 'owner' }),
      owner: 400,
      admin: 400,
      member: 403,
    },
    {
      route: 'cancel an invitation',
      method: 'DELETE',
      path: () => `${space()}/invitations/${crypto.randomUUID()}`,
      owner: 204,
      admin: 204,
      member: 403,
    },
    {
      route: 'make a member an admin',
      method: 'PATCH',
      path: memberPath,
      target: () => ben,
      body: () => ({ role: 'admin' }),
      owner: 204,
      admin: 204,
      member: 403,
    },
    {
      route: 'make a member an owner',
      method: 'PATCH',
      path: memberPath,
      target: () => ben,
      body: () => ({ role: 'owner' }),
      owner: 204,
      admin: 403,
      member: 403,
    },
    {
      route: 'demote an owner',
      method: 'PATCH',
      path: memberPath,
      target: () => ada,
      body: () => ({ role: 'member' }),
      // One's own role is nobody's to change.
      owner: 403,
      admin: 403,
      member: 403,
    },
    {
      route: 'change the role of somebody who is not there',
      method: 'PATCH',
      path: memberPath,
      target: eve,
      body: () => ({ role: 'admin' }),
      owner: 404,
      admin: 404,
      member: 403,
    },
    {
      route: 'remove an owner',
      method: 'DELETE',
      path: memberPath,
      target: () => ada,
      owner: 409,
      admin: 403,
      member: 403,
    },
    {
      route: 'remove somebody who is not there',
      method: 'DELETE',
      path: memberPath,
      target: eve,
      owner: 404,
      admin: 404,
      member: 403,
    },
    {
      route: 'hand over',
      method: 'POST',
      path: () => `${space()}/handover`,
      target: () => ben,
      body: (target) => ({ to: target.id }),
      owner: 204,
      admin: 403,
      member: 403,
    },
  ]

  const call = ({ method, path, body, target }: RouteCase, who: UserClient) => {
    const whom = target?.() ?? ben
    return send(who, method, path(whom), body?.(whom))
  }

  it.each(table)('$route: an owner gets $owner, an admin $admin, a member $member', async (route) => {
    const before = await rolesOf(ada.spaceId)
    for (const [role, who] of [
      ['member', ben],
      ['admin', cem],
      ['owner', ada],
    ] as const) {
      const response = await call(route, who)
      expect(response.status, role).toBe(route[role])
      if (!response.ok) expect(await rolesOf(ada.spaceId), role).toEqual(before)
    }
  })

  it.each(table)('$route: rejects non-members and requests without a session', async (route) => {
    const before = await rolesOf(ada.spaceId)
    const refused = await call(route, dora)
    expect([refused.status, await codeOf(refused.clone())]).toEqual([403, 'forbidden_space'])
    const elsewhere = {
      ...route,
      path: (target: UserClient) => route.path(target).replace(ada.spaceId, crypto.randomUUID()),
    }
    const none = await call(elsewhere, dora)
    const { requestId: _, ...problem } = (await refused.json()) as Record<string, unknown>
    expect(await none.json()).toMatchObject(problem)

    const anonymous = await fetch(product.webUrl + route.path(ben), {
      method: route.method,
      headers: { origin: product.webUrl, 'content-type': 'application/json' },
      ...(route.body ? { body: JSON.stringify(route.body(ben)) } : {}),
    })
    expect(anonymous.status).toBe(401)
    expect(await rolesOf(ada.spaceId)).toEqual(before)
  })

  it.each(table)('$route: rejects requests from other origins', async (route) => {
    const whom = route.target?.() ?? ben
    for (const origin of ['https://evil.example', null]) {
      const response = await ada.fetch(route.path(whom), {
        method: route.method,
        origin,
        ...(route.body ? { body: JSON.stringify(route.body(whom)) } : {}),
      })
      expect([response.status, await codeOf(response)]).toEqual([403, 'forbidden_origin'])
    }
  })

  it.each(['', '/connection', '/tools', '/members', '/settings'])(
    'the page %s is there for members only',
    async (page) => {
      for (const who of [ada, cem, ben]) {
        expect((await who.fetch(`/spaces/${ada.spaceId}${page}`)).status).toBe(page === '' ? 307 : 200)
      }
      const [refused, none] = await Promise.all(
        [ada.spaceId, crypto.randomUUID()].map((id) => dora.fetch(`/spaces/${id}${page}`)),
      )
      expect([refused?.status, none?.status]).toEqual([404, 404])
      expect(await refused?.text()).not.toContain(ada.account.email)
      const signedOut = await fetch(`${product.webUrl}/spaces/${ada.spaceId}${page}`, { redirect: 'manual' })
      expect(signedOut.headers.get('location')).toBe(
        `/sign-in?next=${encodeURIComponent(`/spaces/${ada.spaceId}${page}`)}`,
      )
    },
  )

  it('checks the current role, not a cached one', async () => {
    await send(ada, 'PATCH', memberPath(cem), { role: 'member' })
    expect((await send(cem, 'DELETE', memberPath(ben))).status).toBe(403)
    expect((await rolesOf(ada.spaceId)).get(ben.id)).toBe('member')
  })

  it('keeps one owner when several leave concurrently', async () => {
    await send(ada, 'PATCH', memberPath(cem), { role: 'owner' })
    const left = await Promise.all([send(ada, 'DELETE', memberPath(ada)), send(cem, 'DELETE', memberPath(cem))])
    expect(left.map((response) => response.status).toSorted()).toEqual([204, 409])
    expect([...(await rolesOf(ada.spaceId)).values()].filter((role) => role === 'owner')).toHaveLength(1)
    // For the tests that follow: she is the owner in all of them.
    await database.query('delete from web.member where "organizationId" = $1 and "userId" in ($2, $3)', [
      ada.spaceId,
      ada.id,
      cem.id,
    ])
    await database.query(
      `insert into web.member (id, "organizationId", "userId", role, "createdAt") values ($1, $2, $3, 'owner', now())`,
      [crypto.randomUUID(), ada.spaceId, ada.id],
    )
  })

  it('lets an owner transfer ownership and leave, and the new owner manage the space', async () => {
    const [founder, heir] = [await user('Faye'), await user('Hal')]
    await invite(founder, heir, 'member')
    const path = `/api/spaces/${founder.spaceId}`
    expect(await codeOf(await send(founder, 'DELETE', `${path}/members/${founder.id}`))).toBe('last_owner')
    expect((await send(founder, 'POST', `${path}/handover`, { to: heir.id })).status).toBe(204)
    expect(await rolesOf(founder.spaceId)).toEqual(
      new Map([
        [founder.id, 'admin'],
        [heir.id, 'owner'],
      ]),
    )
    expect((await send(founder, 'DELETE', `${path}/members/${founder.id}`)).status).toBe(204)
    expect((await founder.fetch(`/spaces/${founder.spaceId}/connection`)).status).toBe(404)
    expect((await send(heir, 'PATCH', path, { name: 'Hal’s' })).status).toBe(204)
  })

  it.each([
    ['an empty name', { name: '  ' }],
    ['a long name', { name: 'x'.repeat(101) }],
    ['a name with a line break', { name: 'a\nb' }],
    ['no name', {}],
  ])('refuses %s', async (_, body) => {
    expect((await send(ada, 'PATCH', space(), body)).status).toBe(400)
    expect((await send(ada, 'POST', '/api/spaces', body)).status).toBe(400)
  })

  it('creates a space, makes it the active one, and enforces the limit of spaces', async () => {
    const founder = await user('Finn')
    const made = await send(founder, 'POST', '/api/spaces', { name: 'Second' })
    const { spaceId } = (await made.json()) as { spaceId: string }
    expect((await founder.fetch('/')).headers.get('location')).toBe(`/spaces/${spaceId}`)
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => (await send(founder, 'POST', '/api/spaces', { name: 'More' })).status),
    )
    expect(statuses.filter((status) => status === 201)).toHaveLength(8)
    expect(statuses.filter((status) => status === 409)).toHaveLength(4)
  })
})

describe('an invitation', () => {
  let host: UserClient
  const invitations = () => `/api/spaces/${host.spaceId}/invitations`

  beforeAll(async () => {
    host = await user('Olga')
  })

  it('admits one user with its role, once', async () => {
    const [guest, late] = [await user('Gus'), await user('Lea')]
    const link = await linkOf(await send(host, 'POST', invitations(), { role: 'admin' }))
    expect((await join(guest, link)).status).toBe(200)
    expect((await rolesOf(host.spaceId)).get(guest.id)).toBe('admin')
    expect((await guest.fetch('/')).headers.get('location')).toBe(`/spaces/${host.spaceId}`)
    expect(await codeOf(await join(late, link))).toBe('unknown_invitation')
    expect((await rolesOf(host.spaceId)).has(late.id)).toBe(false)
  })

  it('admits one of many users who accept it concurrently', async () => {
    const guests = [await user('One'), await user('Two'), await user('Three')]
    const link = await linkOf(await send(host, 'POST', invitations(), { role: 'member' }))
    const statuses = await Promise.all(guests.map(async (guest) => (await join(guest, link)).status))
    expect(statuses.toSorted()).toEqual([200, 404, 404])
  })

  it('with an email admits only the account with this email, in any spelling', async () => {
    const [guest, other] = [await user('Ira'), await user('Jon')]
    const link = await linkOf(
      await send(host, 'POST', invitations(), { role: 'member', email: guest.account.email.toUpperCase() }),
    )
    expect(await codeOf(await join(other, link))).toBe('wrong_person')
    expect(await (await other.fetch(link)).text()).toContain('Sign out')
    expect((await join(guest, link)).status).toBe(200)
  })

  it('is replaced by the next invitation for the same email', async () => {
    const guest = await user('Kim')
    const body = { role: 'member', email: guest.account.email }
    const first = await linkOf(await send(host, 'POST', invitations(), body))
    const second = await linkOf(await send(host, 'POST', invitations(), body))
    expect((await join(guest, first)).status).toBe(404)
    expect((await join(guest, second)).status).toBe(200)
  })

  it('is invalid once cancelled or a week old', async () => {
    const guest = await user('Lou')
    const made = await send(host, 'POST', invitations(), { role: 'member' })
    const { id, link, expiresAt } = (await made.json()) as { id: string; link: string; expiresAt: string }
    expect(Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000)).toBe(7)
    expect((await send(host, 'DELETE', `${invitations()}/${id}`)).status).toBe(204)
    expect((await join(guest, new URL(link).pathname)).status).toBe(404)

    const old = await linkOf(await send(host, 'POST', invitations(), { role: 'member' }))
    await database.query(`update web.space_invitation set expires_at = now() - interval '1 second'`)
    expect((await join(guest, old)).status).toBe(404)
    expect(await (await guest.fetch(old)).text()).toContain('no longer valid')
  })

  it('is revoked when its creator may no longer invite', async () => {
    const [helper, guest] = [await user('Mia'), await user('Ned')]
    await invite(host, helper, 'admin')
    const before = await linkOf(await send(helper, 'POST', invitations(), { role: 'admin' }))
    await send(host, 'PATCH', `/api/spaces/${host.spaceId}/members/${helper.id}`, { role: 'member' })
    expect((await join(guest, before)).status).toBe(404)

    await send(host, 'PATCH', `/api/spaces/${host.spaceId}/members/${helper.id}`, { role: 'admin' })
    const own = await linkOf(await send(helper, 'POST', invitations(), { role: 'admin' }))
    await send(host, 'DELETE', `/api/spaces/${host.spaceId}/members/${helper.id}`)
    expect((await join(helper, own)).status).toBe(404)
  })

  it('cannot be cancelled from another space', async () => {
    const [other, guest] = [await user('Otto'), await user('Pia')]
    const made = await send(host, 'POST', invitations(), { role: 'member' })
    const { id, link } = (await made.json()) as { id: string; link: string }
    await send(other, 'DELETE', `/api/spaces/${other.spaceId}/invitations/${id}`)
    expect((await join(guest, new URL(link).pathname)).status).toBe(200)
  })

  it('is stored as a hash and never logged', async () => {
    const link = await linkOf(await send(host, 'POST', invitations(), { role: 'member' }))
    const secret = link.split('/').at(-1) ?? ''
    const { rows } = await database.query<{ secret_hash: Buffer }>(
      'select * from web.space_invitation order by created_at desc limit 1',
    )
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(rows[0]?.secret_hash).toEqual(createHash('sha256').update(secret).digest())
    expect(product.web.output()).not.toContain(secret)
  })

  it.each([
    ['no role', {}],
    ['an address that is none', { role: 'member', email: 'nobody' }],
    ['an address with a line break', { role: 'member', email: 'a@north.test\nBcc: b@north.test' }],
  ])('rejects %s', async (_, body) => {
    expect((await send(host, 'POST', invitations(), body)).status).toBe(400)
  })
})

describe('a user who leaves or is removed', () => {
  const keys = (path = '') => `${product.gatewayUrl}/access/keys${path}`
  const asApplication = (userId: string) => ({
    authorization: 'Bearer service-token-of-the-browser-tests',
    'x-user-id': userId,
    'content-type': 'application/json',
  })
  const keyOf = async (spaceId: string, userId: string) => {
    const made = await fetch(keys(), {
      method: 'POST',
      headers: asApplication(userId),
      body: JSON.stringify({ spaceId, scope: 'notion:read', name: 'a laptop' }),
    })
    expect(made.status).toBe(201)
  }
  const keysOf = async (spaceId: string, userId: string) => {
    const response = await fetch(keys(`?space_id=${spaceId}&user_id=${userId}`), { headers: asApplication(userId) })
    return ((await response.json()) as { keys: unknown[] }).keys.length
  }

  it('loses the keys of their clients for this space only', async () => {
    const [host, guest] = [await user('Rae'), await user('Sam')]
    await invite(host, guest, 'member')
    await keyOf(host.spaceId, guest.id)
    await keyOf(guest.spaceId, guest.id)
    await send(host, 'DELETE', `/api/spaces/${host.spaceId}/members/${guest.id}`)
    expect(await keysOf(host.spaceId, guest.id)).toBe(0)
    expect(await keysOf(guest.spaceId, guest.id)).toBe(1)
  })

  it('loses them also if the gateway was unavailable at that time', { timeout: 60_000 }, async () => {
    const [host, guest] = [await user('Tia'), await user('Udo')]
    await invite(host, guest, 'member')
    await keyOf(host.spaceId, guest.id)
    await product.gateway().stop()
    expect((await send(guest, 'DELETE', `/api/spaces/${host.spaceId}/members/${guest.id}`)).status).toBe(204)
    expect((await guest.fetch(`/spaces/${host.spaceId}/members`)).status).toBe(404)
    await product.startGateway()
    await expect.poll(() => keysOf(host.spaceId, guest.id), { timeout: 30_000 }).toBe(0)
  })
})
