/** A code is good once. When it comes twice, somebody else has seen it. */
import { describe, expect, it } from 'vitest'
import { decide, open, registerClient, type Tokens } from '@/test/clients/client-user.ts'
import { clientsScene } from '@/test/clients/clients.ts'

const on = clientsScene()

const newCode = async () => {
  const client = await registerClient(on().webUrl)
  const page = await open(on().ada, client.authorizeUrl(on().resource()))
  const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:write' })
  return { client, code: back.searchParams.get('code') ?? '' }
}

describe('a replayed code', () => {
  it('returns no tokens and revokes those issued before', async () => {
    const { client, code } = await newCode()
    const tokens = (await (await client.redeem(code)).json()) as Tokens
    expect((await on().listTools(tokens.access_token)).status).toBe(200)

    expect(await (await client.redeem(code)).json()).toMatchObject({ error: 'invalid_grant' })
    await expect.poll(() => on().statusOf(tokens.access_token)).toBe(401)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
  })

  it('yields at most one set of tokens across concurrent requests', async () => {
    const { client, code } = await newCode()
    const responses = await Promise.all([1, 2, 3, 4, 5].map(() => client.redeem(code)))
    expect(responses.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
  })

  it('returns no tokens to another client', async () => {
    const { client, code } = await newCode()
    const thief = await registerClient(on().webUrl)
    const stolen = await thief.redeem(code, { code_verifier: client.verifier })
    expect(await stolen.json()).toMatchObject({ error: 'invalid_grant' })
  })
})
