/** Refresh tokens are replaced at each use, and neither a lost response nor parallel processes cost anybody the login. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { logIn, registerClient, type RawClient, type Tokens } from './client-user.ts'
import { authorizationServerScene } from './clients.ts'

const on = authorizationServerScene()

const loggedIn = async () => {
  const client = await registerClient(on().webUrl)
  return { client, tokens: await logIn(on().ada, client, on().resource()) }
}
const refreshed = async (client: RawClient, token: string): Promise<string> => {
  const response = await client.refresh(token)
  expect(response.status).toBe(200)
  return ((await response.json()) as Tokens).refresh_token
}
/** Moves what was done back in time, as seen from the database's clock. */
const pass = (minutes: number, { clientId }: RawClient) =>
  on().database.query(
    `update web.oauth_refresh_token set used_at = used_at - make_interval(mins => $1)
     where grant_id in (select id from web.oauth_grant where client_id = $2)`,
    [minutes, clientId],
  )

describe('a refresh whose response was lost', () => {
  it.each([1, 20, 29])('returns the same tokens again after %s minutes', async (minutes) => {
    const { client, tokens } = await loggedIn()
    const lost = await refreshed(client, tokens.refresh_token)
    await pass(minutes, client)
    expect(await refreshed(client, tokens.refresh_token)).toBe(lost)
    const next = await refreshed(client, lost)
    expect(next).not.toBe(lost)
  })

  it('measures the time from the first use', async () => {
    const { client, tokens } = await loggedIn()
    const lost = await refreshed(client, tokens.refresh_token)
    await pass(20, client)
    await refreshed(client, tokens.refresh_token)
    await pass(11, client)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
    expect((await client.refresh(lost)).status).toBe(400)
  })

  it('works at any length of the chain', async () => {
    const { client, tokens } = await loggedIn()
    let current = tokens.refresh_token
    for (let count = 0; count < 4; count++) {
      const next = await refreshed(client, current)
      await pass(25, client)
      expect(await refreshed(client, current)).toBe(next)
      current = next
    }
  })
})

describe('processes of one client', () => {
  const REFRESH = `
    const [url, body] = process.argv.slice(1)
    const ask = () => fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body })
    const read = async (response) => [response.status, (await response.json()).refresh_token]
    Promise.all([1, 2, 3, 4].map(() => ask().then(read))).then((all) => console.log(JSON.stringify(all)))`

  it('get one successor for 20 concurrent refreshes of five processes', async () => {
    const { client, tokens } = await loggedIn()
    const body = String(
      new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: client.clientId,
        refresh_token: tokens.refresh_token,
      }),
    )
    const outputs = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => {
        const child = spawn(process.execPath, ['-e', REFRESH, client.server.token_endpoint, body])
        let output = ''
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
        await once(child, 'close')
        return JSON.parse(output) as [number, string][]
      }),
    )
    const all = outputs.flat()
    expect(all.map(([status]) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    const [successor, ...others] = new Set(all.map(([, token]) => token))
    expect(others).toEqual([])
    await refreshed(client, successor ?? '')
  })
})

describe('the scope of a refresh', () => {
  const ALL = 'notion:read notion:write offline_access'
  it.each([
    ['words that mean nothing here', { scope: 'openid email notion:read notion:write' }, ALL],
    ['only words that mean nothing here', { scope: 'openid email profile' }, ALL],
    ['nothing', { scope: '' }, ALL],
    ['spaces', { scope: '  ' }, ALL],
    ['all but offline_access', { scope: 'notion:read notion:write' }, ALL],
    ['a part', { scope: 'notion:read' }, 'notion:read offline_access'],
    ['a part and more', { scope: 'notion:read unknown' }, 'notion:read offline_access'],
    ['an empty resource', { resource: '' }, ALL],
  ] as const)('%s is judged as at the login, and the token is replaced', async (_, more, scope) => {
    const { client, tokens } = await loggedIn()
    const response = await client.refresh(tokens.refresh_token, { ...more })
    const renewed = (await response.json()) as Tokens
    expect([response.status, renewed.scope]).toEqual([200, scope])
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token)
    // The grant is not made smaller by it (RFC 6749 §6).
    expect(await (await client.refresh(renewed.refresh_token)).json()).toMatchObject({ scope: ALL })
  })

  it.each([
    ['of somebody else', 'https://other.test/mcp'],
    ['beside the endpoint', '/'],
  ])('with a resource %s is rejected', async (_, value) => {
    const { client, tokens } = await loggedIn()
    const resource = value === '/' ? `${on().resource()}/` : value
    const response = await client.refresh(tokens.refresh_token, { resource })
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ error: 'invalid_target' }),
    ])
    expect((await client.refresh(tokens.refresh_token, { resource: on().resource() })).status).toBe(200)
  })
})
