/** Anybody can register a client. An error is no way to send a browser from this app's address to theirs, or into an application. */
import { describe, expect, it } from 'vitest'
import { newCookieClient } from '@/test/support/user.ts'
import { open, registerClient } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'

const on = authorizationServerScene()
const SITE = 'https://evil.test/callback?kept=1'
const APPLICATION = 'com.evil.app://install?what=this'

const wrong: [string, Record<string, string | null>][] = [
  ['has prompt=none', { prompt: 'none' }],
  ['has a plain code challenge', { code_challenge_method: 'plain' }],
  ['is for another resource', { resource: 'https://nowhere.test/' }],
  ['requests the implicit flow', { response_type: 'token' }],
]

describe.each([SITE, APPLICATION])('a request with the redirect URI %s', (redirect) => {
  it.each(wrong)('and %s, gets an error page instead of a redirect', async (_, changes) => {
    const client = await registerClient(on().webUrl, { redirect_uris: [redirect] })
    const url = client.authorizeUrl(on().resource(), { redirect_uri: redirect, ...changes })
    for (const user of [on().ada, { ...on().ada, ...newCookieClient(on().webUrl) }]) {
      const page = await open(user, url)
      expect([page.origin, page.pathname]).toEqual([on().webUrl, '/oauth/error'])
    }
  })
})

describe('the page about the error', () => {
  const pageOf = async (redirect: string, changes: Record<string, string> = {}) => {
    const client = await registerClient(on().webUrl, { redirect_uris: [redirect] })
    const asked = { redirect_uri: redirect, code_challenge_method: 'plain' }
    const page = await open(on().ada, client.authorizeUrl(on().resource(), asked))
    for (const [name, value] of Object.entries(changes)) page.searchParams.set(name, value)
    const html = await (await on().ada.fetch(page.pathname + page.search)).text()
    const links = [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))
    return { html, links }
  }

  it('links to the client with the error', async () => {
    const { html, links } = await pageOf(SITE)
    expect(html).toContain('evil.test')
    const back = new URL(links.find((href) => href.startsWith('https://evil.test')) ?? '')
    expect(Object.fromEntries(back.searchParams)).toEqual({
      kept: '1',
      error: 'invalid_request',
      state: 'state-of-the-client',
      iss: `${on().webUrl}/api/auth`,
    })
  })

  it.each([
    ['to an unregistered redirect URI', { redirect_uri: 'https://evil.test/callback' }],
    ['for an unknown client', { client_id: 'nobody' }],
    ['for an invalid error code', { error: 'Call 555-0100 now' }],
  ])('has no link %s', async (_, changes) => {
    const { html, links } = await pageOf(SITE, changes)
    expect(links.filter((href) => !href.startsWith('/'))).toEqual([])
    expect(html).not.toMatch(/<p[^>]*>[^<]*555-0100/)
  })
})

describe('a program on the user’s own machine', () => {
  it.each(wrong)('that %s gets the error redirect immediately', async (_, changes) => {
    const client = await registerClient(on().webUrl)
    const back = await open(on().ada, client.authorizeUrl(on().resource(), changes))
    expect(back.origin).toBe('http://127.0.0.1:33418')
  })
})

describe('a redirect URI', () => {
  it.each([
    'ms-msdt:/id',
    'search-ms:query=x',
    'feed:javascript:alert(1)',
    'x-javascript:alert(1)',
    'livescript:alert(1)',
    'javascript:alert(1)',
    'shell:startup',
    'https:evil.test/callback',
  ])('is not %s, which is no application’s own', async (redirect) => {
    await expect(registerClient(on().webUrl, { redirect_uris: [redirect] })).rejects.toThrow('answered 400')
  })
})
