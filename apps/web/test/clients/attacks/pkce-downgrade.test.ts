/** Without the verifier that belongs to it, a code is worth nothing; and there is no way to ask for one without a challenge. */
import { describe, expect, it } from 'vitest'
import { decide, open, registerClient } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'

const on = authorizationServerScene()

describe('an authorization request', () => {
  it.each([
    ['without a challenge', { code_challenge: null, code_challenge_method: null }],
    ['with a challenge whose method is not said', { code_challenge_method: null }],
    ['with the plain method', { code_challenge_method: 'plain' }],
    ['with a method and no challenge', { code_challenge: null }],
  ])('is rejected %s, also for a confidential client', async (_, changes) => {
    for (const authMethod of ['none', 'client_secret_post']) {
      const client = await registerClient(on().webUrl, { token_endpoint_auth_method: authMethod })
      const response = await open(on().ada, client.authorizeUrl(on().resource(), changes))
      expect(response.searchParams.get('error')).toBe('invalid_request')
      expect(response.searchParams.get('code')).toBeNull()
    }
  })
})

describe('a code', () => {
  it.each([
    ['without a verifier', { code_verifier: null }],
    ['with another verifier', { code_verifier: 'a'.repeat(43) }],
    ['with the challenge in the verifier’s place', { code_verifier: 'challenge' }],
  ])('is not redeemed %s', async (_, changes) => {
    const client = await registerClient(on().webUrl)
    const url = client.authorizeUrl(on().resource())
    const page = await open(on().ada, url)
    const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:write' })
    const code = back.searchParams.get('code') ?? ''
    const challenge = new URL(url).searchParams.get('code_challenge') ?? ''
    const used = changes.code_verifier === 'challenge' ? { code_verifier: challenge } : changes
    const response = await client.redeem(code, used)
    expect([400, 401]).toContain(response.status)
    expect(await response.json()).not.toHaveProperty('access_token')
    if (changes.code_verifier !== null) expect((await client.redeem(code)).status).toBe(400)
  })
})
