/** What a user has ended stays ended, whatever the client kept back or had under way at that moment. */
import { describe, expect, it } from 'vitest'
import { decide, logIn, open, registerClient, type RawClient, type Tokens } from '@/test/clients/client-user.ts'
import { clientsScene } from '@/test/clients/clients.ts'

const on = clientsScene()

const newCode = async (client: RawClient, scope: 'notion:read' | 'notion:write' = 'notion:write') => {
  const page = await open(on().ada, client.authorizeUrl(on().resource()))
  const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope })
  return back.searchParams.get('code') ?? ''
}
const revoke = async ({ clientId }: RawClient) => {
  const { rows } = await on().database.query<{ id: string }>(
    'select id from web.oauth_grant where client_id = $1 and user_id = $2',
    [clientId, on().ada.id],
  )
  expect(rows).toHaveLength(1)
  expect((await on().ada.fetch(`/api/account/clients/${rows[0]?.id}`, { method: 'DELETE' })).status).toBe(204)
}
const tokensOf = async ({ clientId }: RawClient) => {
  const { rowCount } = await on().database.query(
    'select from web.oauth_refresh_token where grant_id in (select id from web.oauth_grant where client_id = $1)',
    [clientId],
  )
  return rowCount
}
const refused = async (response: Response) => {
  expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })])
}

describe('a code withheld by the client', () => {
  it('is invalid after the user has revoked the client', async () => {
    const client = await registerClient(on().webUrl)
    const code = await newCode(client)
    await revoke(client)
    await refused(await client.redeem(code))
    expect(await tokensOf(client)).toBe(0)
  })

  it('grants what the user allowed with it, independent of other logins', async () => {
    const client = await registerClient(on().webUrl)
    await newCode(client)
    const narrow = await newCode(client, 'notion:read')
    const tokens = (await (await client.redeem(narrow)).json()) as Tokens
    expect(tokens.scope).toBe('notion:read offline_access')
  })
})

describe('a concurrent refresh', () => {
  it('returns no tokens if the user revokes the client just before they are stored', async () => {
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource())
    await on().database.query(`
      create function web.revoke_meanwhile() returns trigger language plpgsql as $$
      begin
        delete from web.oauth_grant where id = new.grant_id;
        return null;
      end $$;
      create trigger revoke_meanwhile after update of used_at on web.oauth_refresh_token
      for each row execute function web.revoke_meanwhile()`)
    await refused(await client.refresh(tokens.refresh_token))
    await on().database.query('drop trigger revoke_meanwhile on web.oauth_refresh_token')
    expect(await tokensOf(client)).toBe(0)
  })
})

describe('a refresh token replayed long after its use', () => {
  it('revokes its grant, also at the gateway, and leaves other clients alone', async () => {
    const [client, other] = [await registerClient(on().webUrl), await registerClient(on().webUrl)]
    const first = await logIn(on().ada, client, on().resource())
    const others = await logIn(on().ada, other, on().resource())
    const second = (await (await client.refresh(first.refresh_token)).json()) as Tokens
    expect(await on().statusOf(second.access_token)).toBe(200)
    await on().database.query(
      `update web.oauth_refresh_token set used_at = used_at - interval '31 minutes'
       where grant_id in (select id from web.oauth_grant where client_id = $1)`,
      [client.clientId],
    )
    await refused(await client.refresh(first.refresh_token))
    await expect.poll(() => on().statusOf(second.access_token)).toBe(401)
    await refused(await client.refresh(second.refresh_token))
    expect(await on().statusOf(others.access_token)).toBe(200)
  })

  it('of another client revokes nothing', async () => {
    const [client, thief] = [await registerClient(on().webUrl), await registerClient(on().webUrl)]
    const first = await logIn(on().ada, client, on().resource())
    const second = (await (await client.refresh(first.refresh_token)).json()) as Tokens
    await on().database.query(
      `update web.oauth_refresh_token set used_at = used_at - interval '31 minutes'
       where grant_id in (select id from web.oauth_grant where client_id = $1)`,
      [client.clientId],
    )
    await refused(await thief.refresh(first.refresh_token))
    expect(await on().statusOf(second.access_token)).toBe(200)
    expect((await client.refresh(second.refresh_token)).status).toBe(200)
  })
})
