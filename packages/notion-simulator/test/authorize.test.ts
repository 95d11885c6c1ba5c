import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { PEOPLE } from '../src/index.ts'
import {
  submitConsent,
  authorizationParameters,
  connect,
  location,
  pkce,
  REDIRECT_URI,
  refresh,
  errorOf,
  register,
  simulator,
} from './client.ts'

async function ask(notion: Simulator, changes: Record<string, string | null> = {}, metadata = {}): Promise<Response> {
  const { client_id } = await register(notion, metadata)
  const parameters = authorizationParameters(notion, client_id, pkce().challenge, changes)
  return fetch(`${notion.url}/authorize?${parameters}`, { redirect: 'manual' })
}

describe('the consent page', () => {
  it('names the client, all accounts and the simulation', async () => {
    const notion = await simulator()
    const response = await ask(notion, {}, { client_name: '<b>Ferry & Co</b>' })
    const page = await response.text()
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page).toContain('This is not Notion')
    expect(page).not.toContain('<b>Ferry')
    expect(page).toContain('&#60;b&#62;Ferry &#38; Co&#60;/b&#62;')
    expect([...page.matchAll(/type="radio"/g)]).toHaveLength(4)
    for (const name of [
      'Ada Sandberg in Acme',
      'Ada Sandberg in Northwind',
      'Ben Okafor in Acme',
      'Cleo Marchetti in Northwind',
    ]) {
      expect(page).toContain(name)
    }
    expect(page).toContain('>Allow</button>')
    expect(page).toContain('>Deny</button>')
  })

  it('has no scripts, no external resources and no frames', async () => {
    const response = await ask(await simulator())
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; style-src 'nonce-[\w-]{22}';/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-frame-options')).toBe('DENY')
  })

  it('is submitted with its own form', async () => {
    const notion = await simulator()
    const page = await (await ask(notion)).text()
    const form = new URLSearchParams()
    for (const [, name, value] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)) {
      form.append(
        name ?? '',
        (value ?? '').replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))),
      )
    }
    form.set('account', /value="([^"]*)" checked/.exec(page)?.[1] ?? '')
    form.set('decision', 'allow')
    const target = location(await fetch(`${notion.url}/authorize`, { method: 'POST', body: form, redirect: 'manual' }))
    expect(target.origin + target.pathname).toBe(REDIRECT_URI)
    expect(target.searchParams.get('code')).toMatch(/^[0-9a-f-]{36}:[\w-]{16}:[\w-]{32}$/)
    expect(target.searchParams.get('state')).toBe('state-of-the-client')
    expect(notion.admin.grants()).toMatchObject([{ userId: PEOPLE.ada.id, status: 'code-pending' }])
  })
})

describe('a submitted consent', () => {
  it('redirects with code, state and iss after allow', async () => {
    const notion = await simulator()
    const { client_id } = await register(notion)
    const parameters = authorizationParameters(notion, client_id, pkce().challenge)
    const target = location(await submitConsent(notion, parameters, { user: 'cleo', workspace: 'Northwind' }))
    expect([...target.searchParams.keys()]).toEqual(['code', 'state', 'iss'])
    expect(target.searchParams.get('iss')).toBe(notion.url)
    expect(notion.admin.grants()[0]).toMatchObject({ userId: PEOPLE.cleo.id, workspaceId: notion.workspaces[1]?.id })
  })

  it('redirects with access_denied after deny', async () => {
    const notion = await simulator()
    const { client_id } = await register(notion)
    const parameters = authorizationParameters(notion, client_id, pkce().challenge)
    const target = location(await submitConsent(notion, parameters, { decision: 'deny' }))
    expect(target.searchParams.get('error')).toBe('access_denied')
    expect(target.searchParams.get('error_description')).toBeTruthy()
    expect(target.searchParams.get('state')).toBe('state-of-the-client')
    expect(target.searchParams.has('iss')).toBe(false)
    expect(notion.admin.grants()).toEqual([])
    expect(notion.recorded.authorizations.at(-1)?.outcome).toBe('denied')
  })

  it('is rejected for a user who is not a member of the workspace', async () => {
    const notion = await simulator()
    const { client_id } = await register(notion)
    const parameters = authorizationParameters(notion, client_id, pkce().challenge)
    const response = await submitConsent(notion, parameters, { user: 'ben', workspace: 'Northwind' })
    expect(response.status).toBe(400)
    expect(notion.admin.grants()).toEqual([])
  })

  it('is automatic with autoApprove, for the configured account', async () => {
    const notion = await simulator({ options: { autoApprove: { user: 'ben@acme.test', workspace: 'acme' } } })
    expect(location(await ask(notion)).searchParams.get('code')).toContain(PEOPLE.ben.id)
    notion.options.autoApprove = { decision: 'deny' }
    expect(location(await ask(notion)).searchParams.get('error')).toBe('access_denied')
    notion.options.autoApprove = true
    expect(location(await ask(notion)).searchParams.get('code')).toContain(PEOPLE.ada.id)
  })
})

describe('iss in the redirect', () => {
  it('is wrong or missing with the option iss', async () => {
    const notion = await simulator({ options: { autoApprove: true, iss: 'wrong' } })
    expect(location(await ask(notion)).searchParams.get('iss')).toBe('https://issuer.invalid')
    notion.options.iss = 'omitted'
    expect(location(await ask(notion)).searchParams.has('iss')).toBe(false)
  })

  it('was missing in January 2026, and is also in errors with the newer upstream library', async () => {
    const january = await simulator({ profile: 'notion-2026-01', options: { autoApprove: true } })
    expect(location(await ask(january)).searchParams.has('iss')).toBe(false)
    const newer = await simulator({ profile: 'wop-0.10', options: { autoApprove: { decision: 'deny' } } })
    expect(location(await ask(newer)).searchParams.get('iss')).toBe(newer.url)
  })
})

describe('an authorization request', () => {
  it.each([
    ['of an unknown client', { client_id: 'nobody' }, 'this client is not registered'],
    ['without a client', { client_id: null }, 'client_id is missing'],
    ['without a redirect URI', { redirect_uri: null }, 'Missing redirect_uri in OAuth request'],
    ['with a foreign redirect URI', { redirect_uri: 'https://evil.test/cb' }, 'Invalid redirect_uri for OAuth client'],
    ['with another port', { redirect_uri: 'http://localhost:4001/callback' }, 'Invalid redirect_uri for OAuth client'],
    ['with a longer path', { redirect_uri: `${REDIRECT_URI}/more` }, 'Invalid redirect_uri for OAuth client'],
  ])('%s is rejected on a page, without a redirect', async (_, changes, text) => {
    const response = await ask(await simulator({ options: { autoApprove: true } }), changes)
    expect(response.status).toBe(400)
    expect(response.headers.has('location')).toBe(false)
    expect(await response.text()).toContain(text)
  })

  it('with a repeated parameter is rejected on a page', async () => {
    const notion = await simulator({ options: { autoApprove: true } })
    const { client_id } = await register(notion)
    const parameters = authorizationParameters(notion, client_id, pkce().challenge)
    parameters.append('state', 'another')
    const response = await fetch(`${notion.url}/authorize?${parameters}`, { redirect: 'manual' })
    expect(response.status).toBe(400)
  })

  it.each([
    ['for a token instead of a code', { response_type: 'token' }, 'unsupported_response_type'],
    ['without PKCE from a public client', { code_challenge: null }, 'invalid_request'],
    ['with an invented challenge method', { code_challenge_method: 'S512' }, 'invalid_request'],
    ['for a resource with a fragment', { resource: 'https://mcp.test/#x' }, 'invalid_target'],
    ['for a resource that is no URL', { resource: 'mcp' }, 'invalid_target'],
  ])('%s is rejected with a redirect', async (_, changes, error) => {
    const target = location(await ask(await simulator({ options: { autoApprove: true } }), changes))
    expect(target.searchParams.get('error')).toBe(error)
    expect(target.searchParams.get('state')).toBe('state-of-the-client')
    expect(target.searchParams.has('code')).toBe(false)
  })

  it('with a plain challenge is rejected, unless plainPkce is set', async () => {
    const plain = { code_challenge_method: null }
    const notion = await simulator({ options: { autoApprove: true } })
    expect(location(await ask(notion, plain)).searchParams.get('error')).toBe('invalid_request')
    notion.setOptions({ plainPkce: true })
    expect(location(await ask(notion, plain)).searchParams.has('code')).toBe(true)
  })

  it('of a confidential client does not need PKCE', async () => {
    const notion = await simulator({ options: { autoApprove: true } })
    const confidential = { token_endpoint_auth_method: 'client_secret_post' }
    const response = await ask(notion, { code_challenge: null, code_challenge_method: null }, confidential)
    expect(location(response).searchParams.has('code')).toBe(true)
  })

  it('may use any port of a loopback redirect URI with the upstream library', async () => {
    const notion = await simulator({ profile: 'wop-0.10', options: { autoApprove: true } })
    const target = location(await ask(notion, { redirect_uri: 'http://localhost:50123/callback' }))
    expect(target.port).toBe('50123')
    const elsewhere = await ask(notion, { redirect_uri: 'http://localhost:50123/other' })
    expect(elsewhere.status).toBe(400)
  })
})

describe('a second consent of the same user for the same client', () => {
  const standings = (notion: Simulator) => notion.admin.grants().map(({ status }) => status)

  it('revokes the first grant at once, even for another workspace', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion, { user: 'ada', workspace: 'Acme' })
    const parameters = authorizationParameters(notion, clientId, pkce().challenge)
    await submitConsent(notion, parameters, { user: 'ada', workspace: 'Northwind' })
    expect(standings(notion)).toEqual(['revoked', 'code-pending'])
    expect(await errorOf(await refresh(notion, clientId, tokens.refresh_token))).toEqual({
      status: 400,
      error: 'invalid_grant',
      description: 'OAuth grant revoked',
    })
  })

  it('revokes only the grant for the same workspace with same-user-and-workspace', async () => {
    const notion = await simulator({ options: { revokeExistingGrants: 'same-user-and-workspace' } })
    const { clientId } = await connect(notion, { workspace: 'Acme' })
    await connect(notion, { workspace: 'Northwind' }, clientId)
    expect(standings(notion)).toEqual(['active', 'active'])
    await connect(notion, { workspace: 'Acme' }, clientId)
    expect(standings(notion)).toEqual(['revoked', 'active', 'active'])
  })

  it('revokes nothing with off, and never grants of other clients or users', async () => {
    const notion = await simulator({ options: { revokeExistingGrants: 'off' } })
    const { clientId } = await connect(notion)
    await connect(notion, {}, clientId)
    expect(standings(notion)).toEqual(['active', 'active'])
    notion.options.revokeExistingGrants = 'same-user'
    await connect(notion, { user: 'ben' }, clientId)
    await connect(notion)
    expect(standings(notion)).toEqual(['active', 'active', 'active', 'active'])
  })
})
