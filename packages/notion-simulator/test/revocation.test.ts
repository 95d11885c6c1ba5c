import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { connect, INITIALIZE, postMcp, postToken, refresh, refreshed, errorOf, register, simulator } from './client.ts'

async function revoke(notion: Simulator, clientId: string, token: string): Promise<void> {
  const response = await postToken(notion, { token, client_id: clientId })
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('')
}

const isAlive = async (notion: Simulator, accessToken: string) =>
  (await postMcp(notion, accessToken, INITIALIZE)).status === 200

describe('the revocation', () => {
  it('of a refresh token revokes the grant with all its tokens', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    await revoke(notion, clientId, tokens.refresh_token)
    expect(await isAlive(notion, tokens.access_token)).toBe(false)
    expect(await errorOf(await refresh(notion, clientId, tokens.refresh_token))).toMatchObject({
      error: 'invalid_grant',
      description: 'OAuth grant revoked',
    })
    expect(notion.recorded.tokenRequests[1]).toMatchObject({
      grantType: 'revocation',
      presented: { generation: 0, standing: 'current' },
      outcome: { grantRevoked: true },
    })
  })

  it('of the previous refresh token revokes the grant too', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    const next = await refreshed(notion, clientId, tokens.refresh_token)
    await revoke(notion, clientId, tokens.refresh_token)
    expect(await isAlive(notion, next.access_token)).toBe(false)
  })

  it('of an access token revokes only that token', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    await revoke(notion, clientId, tokens.access_token)
    expect(await isAlive(notion, tokens.access_token)).toBe(false)
    expect((await refresh(notion, clientId, tokens.refresh_token)).status).toBe(200)
  })

  it('of an unknown or foreign token has the same response and no effect', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const { client_id } = await register(notion)
    for (const token of ['nonsense', 'a:b:c', tokens.access_token, tokens.refresh_token]) {
      await revoke(notion, client_id, token)
    }
    expect(await isAlive(notion, tokens.access_token)).toBe(true)
    expect(notion.admin.grants()).toMatchObject([{ status: 'active' }])
  })

  it('requires client authentication', async () => {
    const notion = await simulator()
    expect(await errorOf(await postToken(notion, { token: 'a:b:c' }))).toMatchObject({
      status: 401,
      error: 'invalid_client',
    })
  })
})

describe('introspection', () => {
  const introspect = async (notion: Simulator, client_id: string, token: string) =>
    (
      await fetch(`${notion.url}/introspect`, { method: 'POST', body: new URLSearchParams({ client_id, token }) })
    ).json()

  it('describes the tokens of the client', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    expect(await introspect(notion, clientId, tokens.access_token)).toMatchObject({
      active: true,
      client_id: clientId,
      token_type: 'bearer',
      aud: [notion.mcpUrl],
    })
    expect(await introspect(notion, clientId, tokens.refresh_token)).toMatchObject({ active: true })
    await refreshed(notion, clientId, tokens.refresh_token)
    expect(await introspect(notion, clientId, tokens.access_token)).toEqual({ active: false })
  })

  it('reports tokens of other clients as inactive', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const { client_id } = await register(notion)
    expect(await introspect(notion, client_id, tokens.access_token)).toEqual({ active: false })
  })

  it('did not exist in January 2026', async () => {
    const { url } = await simulator({ profile: 'notion-2026-01' })
    expect((await fetch(`${url}/introspect`, { method: 'POST' })).status).toBe(404)
  })
})
