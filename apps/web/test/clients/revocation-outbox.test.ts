/** Access that ends before its time ends at the gateway too. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { invite, type UserClient } from '@/test/support/user.ts'
import { logIn, registerClient } from './client-user.ts'
import { clientsScene } from './clients.ts'

const on = clientsScene()
let people = 0

/** A member of Ada's space with a client that is logged in, and a key. */
async function memberWithClient(): Promise<{
  member: UserClient
  refresh: () => Promise<Response>
  calls: () => Promise<number[]>
}> {
  const member = await on().newUser(`Member${++people}`)
  await invite(on().ada, member, 'member')
  const client = await registerClient(on().webUrl)
  const spaceId = on().ada.spaceId
  const tokens = await logIn(member, client, on().resource(), { spaceId })
  const made = await member.post(`/api/spaces/${spaceId}/keys`, { name: 'A key', scope: 'notion:read', days: 30 })
  const { key } = (await made.json()) as { key: string }
  const calls = async () => [(await on().listTools(tokens.access_token)).status, (await on().listTools(key)).status]
  expect(await calls()).toEqual([200, 200])
  return { member, refresh: () => client.refresh(tokens.refresh_token), calls }
}

/** Ends a membership in Ada's space: one's own, or that of another. */
const end = (by: UserClient, { id }: UserClient) =>
  by.fetch(`/api/spaces/${on().ada.spaceId}/members/${id}`, { method: 'DELETE' })

describe('tokens, keys and refreshes of a member', () => {
  it('end immediately when the member is removed', async () => {
    const { member, refresh, calls } = await memberWithClient()
    expect((await end(on().ada, member)).ok).toBe(true)
    await expect.poll(calls).toEqual([401, 401])
    expect(await (await refresh()).json()).toMatchObject({ error: 'invalid_grant' })
  })

  it('end immediately when the member leaves', async () => {
    const { member, refresh, calls } = await memberWithClient()
    expect((await end(member, member)).ok).toBe(true)
    await expect.poll(calls).toEqual([401, 401])
    expect((await refresh()).status).toBe(400)
  })

  it('end within moments, however the membership ends', async () => {
    const { member, refresh, calls } = await memberWithClient()
    const whose = [member.id, on().ada.spaceId]
    await on().database.query('delete from web.member where "userId" = $1 and "organizationId" = $2', whose)
    expect((await refresh()).status).toBe(400)
    await expect.poll(calls, { timeout: 10_000 }).toEqual([401, 401])
  })

  it('of other members stay valid', async () => {
    const one = await memberWithClient()
    const other = await memberWithClient()
    await end(one.member, one.member)
    await expect.poll(one.calls).toEqual([401, 401])
    expect(await other.calls()).toEqual([200, 200])
    expect((await other.refresh()).status).toBe(200)
  })

  it('end when an unavailable gateway is back', async () => {
    const { member, refresh, calls } = await memberWithClient()
    await on().product.gateway().stop()
    expect((await end(member, member)).ok).toBe(true)
    expect((await refresh()).status).toBe(400)
    await on().product.startGateway()
    await expect.poll(calls, { timeout: 20_000 }).toEqual([401, 401])
  })
})

describe('a client', () => {
  it('ends its own access by revoking its refresh token', async () => {
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource())
    const revoked = await fetch(client.server.revocation_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ client_id: client.clientId, token: tokens.refresh_token }),
    })
    expect(revoked.status).toBe(200)
    await expect.poll(() => on().statusOf(tokens.access_token)).toBe(401)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
  })

  it('does not end that of another client', async () => {
    const client = await registerClient(on().webUrl)
    const other = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource())
    await fetch(client.server.revocation_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ client_id: other.clientId, token: tokens.refresh_token }),
    })
    expect((await on().listTools(tokens.access_token)).status).toBe(200)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
  })

  it('can be allowed again after a revocation', async () => {
    const client = await registerClient(on().webUrl)
    const first = await logIn(on().ada, client, on().resource())
    await fetch(client.server.revocation_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ client_id: client.clientId, token: first.refresh_token }),
    })
    // Tokens say to the second when they were issued; those of the revocation's second are refused.
    await delay(1_000)
    const second = await logIn(on().ada, client, on().resource())
    expect((await on().listTools(second.access_token)).status).toBe(200)
  })

  it('keeps the scope of its first grant when a second grants less', async () => {
    const client = await registerClient(on().webUrl)
    const wide = await logIn(on().ada, client, on().resource())
    const narrow = await logIn(on().ada, client, on().resource(), { scope: 'notion:read' })
    expect(await (await client.refresh(wide.refresh_token)).json()).toMatchObject({
      scope: 'notion:read notion:write offline_access',
    })
    expect(await (await client.refresh(narrow.refresh_token)).json()).toMatchObject({
      scope: 'notion:read offline_access',
    })
  })
})

describe('keys', () => {
  it('are visible to and deletable by their user only', async () => {
    const { member, calls } = await memberWithClient()
    const { keys } = (await (await member.fetch(`/api/spaces/${on().ada.spaceId}/clients`)).json()) as {
      keys: { id: string }[]
    }
    expect(keys).toHaveLength(1)
    const path = `/api/spaces/${on().ada.spaceId}/keys/${keys[0]?.id}`
    await on().ada.fetch(path, { method: 'DELETE' })
    expect(await calls()).toEqual([200, 200])
    expect((await member.fetch(path, { method: 'DELETE' })).status).toBe(204)
    await expect.poll(calls).toEqual([200, 401])
  })
})
