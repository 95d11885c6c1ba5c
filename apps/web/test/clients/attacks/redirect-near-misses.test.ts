/** An answer goes where the client said beforehand, letter by letter, or nowhere. */
import { describe, expect, it } from 'vitest'
import { decide, open, registerClient } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'

const on = authorizationServerScene()
const SITE = 'https://client.test/callback?kept=1'
const PROGRAM = 'http://127.0.0.1/callback'
const APPLICATION = 'client.app:/callback'

describe('a redirect URI similar to the registered one', () => {
  it.each([
    [SITE, 'https://client.test/callback'],
    [SITE, 'https://client.test/callback?kept=1&more=2'],
    [SITE, 'https://client.test/callback/?kept=1'],
    [SITE, 'https://client.test/Callback?kept=1'],
    [SITE, 'https://client.test:8443/callback?kept=1'],
    [SITE, 'https://client.test./callback?kept=1'],
    [SITE, 'https://client.test.evil.test/callback?kept=1'],
    [SITE, 'https://client.test@evil.test/callback?kept=1'],
    [SITE, 'https://client.test%2eevil.test/callback?kept=1'],
    [SITE, 'https://client.test/callback/../evil?kept=1'],
    [SITE, 'https://client.test/callback?kept=1#fragment'],
    [SITE, 'http://client.test/callback?kept=1'],
    [SITE, '//client.test/callback?kept=1'],
    [PROGRAM, 'http://localhost/callback'],
    [PROGRAM, 'http://127.0.0.2/callback'],
    [PROGRAM, 'http://127.0.0.1.evil.test/callback'],
    [PROGRAM, 'http://127.0.0.1:80@evil.test/callback'],
    [PROGRAM, 'http://127.0.0.1:3000/callback/'],
    [PROGRAM, 'https://127.0.0.1:3000/callback'],
    [APPLICATION, 'client.app:/callback/evil'],
    [APPLICATION, 'client.app.evil:/callback'],
  ])('is rejected: registered %s, requested %s', async (registered, asked) => {
    const client = await registerClient(on().webUrl, { redirect_uris: [registered] })
    const url = client.authorizeUrl(on().resource(), { redirect_uri: asked })
    for (const attempt of [url, `${url}&prompt=none`, url.replace('response_type=code', 'response_type=token')]) {
      const location = await open(on().ada, attempt)
      expect(location.origin).toBe(on().webUrl)
      expect(location.pathname).toBe('/oauth/error')
    }
  })

  it('is rejected if repeated or missing', async () => {
    const client = await registerClient(on().webUrl, { redirect_uris: [SITE] })
    const url = client.authorizeUrl(on().resource(), { redirect_uri: SITE })
    const two = await open(on().ada, `${url}&redirect_uri=${encodeURIComponent('https://evil.test/')}`)
    expect(two.pathname).toBe('/oauth/error')
    const none = await open(on().ada, client.authorizeUrl(on().resource(), { redirect_uri: null }))
    expect(none.pathname).toBe('/oauth/error')
  })
})

describe('a program on this machine', () => {
  it('may choose its port at runtime (RFC 8252 §7.3)', async () => {
    const client = await registerClient(on().webUrl, { redirect_uris: [PROGRAM] })
    const page = await open(
      on().ada,
      client.authorizeUrl(on().resource(), { redirect_uri: 'http://127.0.0.1:51234/callback' }),
    )
    const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:read' })
    expect(back.origin).toBe('http://127.0.0.1:51234')
  })
})

describe('a code', () => {
  it('is not redeemed with another redirect URI', async () => {
    const client = await registerClient(on().webUrl, { redirect_uris: [PROGRAM] })
    const page = await open(
      on().ada,
      client.authorizeUrl(on().resource(), { redirect_uri: 'http://127.0.0.1:51234/callback' }),
    )
    const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:read' })
    const code = back.searchParams.get('code') ?? ''
    const response = await client.redeem(code, { redirect_uri: 'http://127.0.0.1:51235/callback' })
    expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  })
})
