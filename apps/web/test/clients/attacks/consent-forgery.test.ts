/** Nobody else can say yes for a user: no other site, no page in a frame, no request that was changed or made up. */
import { describe, expect, it } from 'vitest'
import { open, registerClient } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'

const on = authorizationServerScene()

const asked = async (changes: Record<string, string | null> = {}) => {
  const client = await registerClient(on().webUrl)
  return open(on().ada, client.authorizeUrl(on().resource(), changes))
}
const yes = (request: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ allow: true, request, spaceId: on().ada.spaceId, scope: 'notion:write' }),
})
const consents = async () => {
  const { rows } = await on().database.query<{ count: number }>('select count(*)::int from web.oauth_grant')
  return rows[0]?.count
}

describe('a forged consent', () => {
  it.each([
    ['of another site', { origin: 'https://evil.test' }],
    ['of a page without an origin', { origin: 'null' }],
    ['without an Origin header', { origin: null }],
  ])('%s is rejected', async (_, from) => {
    const page = await asked()
    const before = await consents()
    const answer = await on().ada.fetch('/api/oauth/consent', { ...yes(page.search.slice(1)), ...from })
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ code: 'forbidden_origin' })
    expect(await consents()).toBe(before)
  })

  it('from a form of another site is rejected', async () => {
    const page = await asked()
    const answer = await on().ada.fetch('/api/oauth/consent', {
      ...yes(page.search.slice(1)),
      headers: { 'content-type': 'text/plain' },
      origin: 'https://evil.test',
    })
    expect(answer.status).toBe(403)
  })

  it('without a session is rejected', async () => {
    const page = await asked()
    const request = yes(page.search.slice(1))
    const answer = await fetch(`${on().webUrl}/api/oauth/consent`, {
      ...request,
      headers: { ...request.headers, origin: on().webUrl },
    })
    expect(answer.status).toBe(401)
  })

  it.each(['redirect_uri', 'client_id', 'scope', 'resource', 'code_challenge', 'state'])(
    'to a request whose %s was changed counts for nothing',
    async (name) => {
      const page = await asked({ scope: 'notion:read' })
      const changed: Record<string, string> = {
        redirect_uri: 'https://evil.test/callback',
        client_id: (await registerClient(on().webUrl)).clientId,
        scope: 'notion:read notion:write offline_access',
        resource: `${on().gatewayUrl}/mcp/notion/proxy`,
        code_challenge: 'a'.repeat(43),
        state: 'another',
      }
      page.searchParams.set(name, changed[name] ?? '')
      const answer = await on().ada.fetch('/api/oauth/consent', yes(page.search.slice(1)))
      expect([400, 403]).toContain(answer.status)
      expect(await answer.json()).not.toHaveProperty('location')
    },
  )

  it('for an unsigned request is rejected', async () => {
    const client = await registerClient(on().webUrl)
    const made = new URL(client.authorizeUrl(on().resource())).search.slice(1)
    const answer = await on().ada.fetch('/api/oauth/consent', yes(`${made}&exp=9999999999&sig=made-up`))
    expect(answer.status).toBe(400)
  })

  it('at the plugin’s own endpoint is rejected', async () => {
    const page = await asked()
    const before = await consents()
    const answer = await on().ada.post('/api/auth/oauth2/consent', { accept: true, oauth_query: page.search.slice(1) })
    expect(answer.status).toBe(404)
    expect(await consents()).toBe(before)
  })

  it('for one client does not apply to another client or user', async () => {
    const client = await registerClient(on().webUrl)
    const page = await open(on().ada, client.authorizeUrl(on().resource()))
    await on().ada.fetch('/api/oauth/consent', yes(page.search.slice(1)))
    const ben = await on().newUser('Ben')
    expect((await open(ben, client.authorizeUrl(on().resource(ben.spaceId)))).pathname).toBe('/oauth/consent')
    expect((await asked()).pathname).toBe('/oauth/consent')
  })
})

describe('the consent page', () => {
  it('forbids framing and foreign scripts', async () => {
    const page = await asked()
    const answer = await on().ada.fetch(page.pathname + page.search)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
  })

  it('shows a client’s name as text', async () => {
    const client = await registerClient(on().webUrl, { client_name: '<img src=x onerror=alert(1)>' })
    const page = await open(on().ada, client.authorizeUrl(on().resource()))
    const html = await (await on().ada.fetch(page.pathname + page.search)).text()
    expect(html).not.toContain('<img src=x')
    expect(html).toContain('&lt;img src=x')
  })

  it('shows nothing of a forged query', async () => {
    const page = await asked()
    page.searchParams.set('redirect_uri', 'https://evil.test/callback')
    const html = await (await on().ada.fetch(page.pathname + page.search)).text()
    expect(html).toContain('This request has expired')
  })
})
