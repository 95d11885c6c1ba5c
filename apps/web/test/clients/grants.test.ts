/** The unit of ending is the grant: one login of one client, on one machine. With client documents all machines share one client id. */
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { decide, logIn, open, registerClient, type RawClient, type Tokens } from './client-user.ts'
import { clientsScene } from './clients.ts'

const on = clientsScene()

interface Machine {
  readonly tokens: Tokens
  /** The statuses of a call to the gateway and of a refresh. */
  readonly works: () => Promise<[number, number]>
}

async function machineOf(client: RawClient): Promise<Machine> {
  const tokens = await logIn(on().ada, client, on().resource())
  let current = tokens
  return {
    tokens,
    async works() {
      const called = await on().statusOf(tokens.access_token)
      const refreshed = await client.refresh(current.refresh_token)
      if (refreshed.ok) current = (await refreshed.json()) as Tokens
      return [called, refreshed.status]
    },
  }
}

const revokeAt = ({ server, clientId }: RawClient, token: string) =>
  fetch(server.revocation_endpoint, { method: 'POST', body: new URLSearchParams({ client_id: clientId, token }) })
const age = (interval: string, { clientId }: RawClient) =>
  on().database.query(
    `update web.oauth_refresh_token set used_at = used_at - $1::interval
     where grant_id in (select id from web.oauth_grant where client_id = $2)`,
    [interval, clientId],
  )
const grantOf = ({ tokens }: Machine) => String(decodeJwt(tokens.access_token)['grant_id'])

/** Each ends the login of the first machine. */
const endings: [string, (client: RawClient, laptop: Machine) => Promise<unknown>][] = [
  ['a logout', (client, { tokens }) => revokeAt(client, tokens.refresh_token)],
  [
    'a logout with a token that was replaced',
    async (client, { tokens }) => {
      await client.refresh(tokens.refresh_token)
      await revokeAt(client, tokens.refresh_token)
    },
  ],
  [
    'a refresh token that comes again after its successor was used',
    async (client, { tokens }) => {
      const { refresh_token: next } = (await (await client.refresh(tokens.refresh_token)).json()) as Tokens
      expect((await client.refresh(next)).status).toBe(200)
      expect(await (await client.refresh(tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' })
    },
  ],
  [
    'a refresh token that comes again after 31 minutes',
    async (client, { tokens }) => {
      await client.refresh(tokens.refresh_token)
      await age('31 minutes', client)
      expect(await (await client.refresh(tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' })
    },
  ],
  [
    'Revoke for this entry',
    (_client, laptop) => on().ada.fetch(`/api/account/clients/${grantOf(laptop)}`, { method: 'DELETE' }),
  ],
]

describe('two machines with one client id', () => {
  it.each(endings)('%s on one of them leaves the other logged in', async (_, end) => {
    const client = await registerClient(on().webUrl)
    const [laptop, desktop] = [await machineOf(client), await machineOf(client)]
    expect(grantOf(laptop)).not.toBe(grantOf(desktop))
    expect([await on().statusOf(laptop.tokens.access_token), await on().statusOf(desktop.tokens.access_token)]).toEqual(
      [200, 200],
    )
    await end(client, laptop)
    await expect.poll(() => on().statusOf(laptop.tokens.access_token)).toBe(401)
    expect(await laptop.works()).toEqual([401, 400])
    expect(await desktop.works()).toEqual([200, 200])
  })

  it('a replayed code revokes its grant and leaves the other machine logged in', async () => {
    const client = await registerClient(on().webUrl)
    const desktop = await machineOf(client)
    const page = await open(on().ada, client.authorizeUrl(on().resource()))
    const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:write' })
    const code = back.searchParams.get('code') ?? ''
    const laptop = (await (await client.redeem(code)).json()) as Tokens
    expect((await client.redeem(code)).status).toBe(400)
    await expect.poll(() => on().statusOf(laptop.access_token)).toBe(401)
    expect((await client.refresh(laptop.refresh_token)).status).toBe(400)
    expect(await desktop.works()).toEqual([200, 200])
  })

  it('Revoke all ends both, and leaves other users’ grants', async () => {
    const client = await registerClient(on().webUrl)
    const ben = await on().newUser('Ben')
    const bens = await logIn(ben, client, on().resource(ben.spaceId))
    const [laptop, desktop] = [await machineOf(client), await machineOf(client)]
    expect(
      (await on().ada.fetch('/api/account/clients', { method: 'DELETE', origin: 'https://evil.test' })).status,
    ).toBe(403)
    expect((await on().ada.fetch('/api/account/clients', { method: 'DELETE' })).status).toBe(204)
    await expect.poll(laptop.works).toEqual([401, 400])
    await expect.poll(desktop.works).toEqual([401, 400])
    expect((await client.refresh(bens.refresh_token)).status).toBe(200)
  })

  it('are distinguished on the page by browser', async () => {
    const client = await registerClient(on().webUrl, { client_name: 'Shared client' })
    const agents = [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
    ]
    for (const agent of agents) {
      const page = await open(on().ada, client.authorizeUrl(on().resource()))
      const response = { allow: true, request: page.search.slice(1), spaceId: on().ada.spaceId, scope: 'notion:read' }
      const sent = await on().ada.fetch('/api/oauth/consent', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': agent },
        body: JSON.stringify(response),
      })
      const { location } = (await sent.json()) as { location: string }
      expect((await client.redeem(new URL(location).searchParams.get('code') ?? '')).status).toBe(200)
    }
    const html = await (await on().ada.fetch('/account/clients')).text()
    expect(html).toContain('Safari on macOS')
    expect(html).toContain('Firefox on Windows')
    expect(html).toContain('Revoke all')
  })
})
