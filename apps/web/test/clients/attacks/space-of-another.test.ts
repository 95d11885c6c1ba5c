/** Nobody gets a token for a space that they do not belong to, nor one that is good for two. */
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { logIn, open, registerClient } from '@/test/clients/client-user.ts'
import { clientsScene } from '@/test/clients/clients.ts'

const on = clientsScene()

describe('a user', () => {
  it('cannot grant a client access to another space', async () => {
    const ben = await on().newUser('Ben')
    const client = await registerClient(on().webUrl)
    for (const [resource, spaceId] of [
      [on().resource(), on().ada.spaceId],
      [on().resource(), ben.spaceId],
      [on().resource(ben.spaceId), on().ada.spaceId],
      [`${on().gatewayUrl}/mcp/notion/proxy`, on().ada.spaceId],
    ] as const) {
      const page = await open(ben, client.authorizeUrl(resource))
      const response = await ben.post('/api/oauth/consent', {
        allow: true,
        request: page.search.slice(1),
        spaceId,
        scope: 'notion:write',
      })
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ code: 'forbidden_space' })
    }
  })

  it('gets tokens for one space that are invalid at another', async () => {
    const cem = await on().newUser('Cem')
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(cem, client, on().resource(cem.spaceId))
    expect(decodeJwt(tokens.access_token)['space_id']).toBe(cem.spaceId)
    expect((await on().listTools(tokens.access_token)).status).toBe(401)
    const elsewhere = await client.refresh(tokens.refresh_token, { resource: on().resource() })
    expect(await elsewhere.json()).toMatchObject({ error: 'invalid_target' })
  })

  it('cannot see or make keys of a space that is not theirs', async () => {
    const dora = await on().newUser('Dora')
    const path = `/api/spaces/${on().ada.spaceId}`
    expect((await dora.fetch(`${path}/clients`)).status).toBe(403)
    expect((await dora.post(`${path}/keys`, { name: 'A key', scope: 'notion:read', days: 30 })).status).toBe(403)
    const foreign = { method: 'POST', origin: 'https://evil.test', body: '{}' }
    expect((await on().ada.fetch(`${path}/keys`, foreign)).status).toBe(403)
  })

  it('cannot revoke another user’s grant', async () => {
    const eve = await on().newUser('Eve')
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource())
    const { rows } = await on().database.query<{ id: string }>('select id from web.oauth_grant where client_id = $1', [
      client.clientId,
    ])
    const path = `/api/account/clients/${rows[0]?.id}`
    expect((await eve.fetch(path, { method: 'DELETE' })).status).toBe(204)
    expect((await on().ada.fetch(path, { method: 'DELETE', origin: 'https://evil.test' })).status).toBe(403)
    expect((await on().listTools(tokens.access_token)).status).toBe(200)
    expect((await on().ada.fetch(path, { method: 'DELETE' })).status).toBe(204)
    await expect.poll(() => on().statusOf(tokens.access_token)).toBe(401)
  })
})
