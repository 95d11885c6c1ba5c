/** Parts of the authorization server that need no process. */
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consentRequests } from '@/authorization-server/consent-request.ts'
import { errorForClient } from '@/authorization-server/provider.ts'
import { authorizationRequest, tokenRequest } from '@/authorization-server/requests.ts'
import { browserName } from '@/features/clients/browser-name.ts'
import { authSecrets } from '@/lib/settings.ts'
import { resignedCookies } from '@/server/resigned-cookies.ts'

const GATEWAY = 'https://gateway.test'
const SPACE = `${GATEWAY}/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d`

describe('scope and resource', () => {
  const words = fc.constantFrom('notion:read', 'notion:write', 'offline_access', 'openid', 'NOTION:READ', '', 'x"y')
  const resources = fc.constantFrom(
    '',
    SPACE,
    `${SPACE}/`,
    `${GATEWAY}/mcp/notion/proxy`,
    'https://other.test/',
    'urn:x',
  )

  it('are interpreted alike at login and refresh', () => {
    fc.assert(
      fc.property(fc.array(words), fc.array(resources, { maxLength: 3 }), (scope, named) => {
        const asked = new URLSearchParams([['scope', scope.join(' ')], ...named.map((one) => ['resource', one])])
        const login = authorizationRequest(asked, GATEWAY)
        const refresh = tokenRequest(asked, GATEWAY)
        // Without words that are known, a login asks for everything, and a refresh for what was granted.
        const known = scope.some((word) => word === 'notion:read' || word === 'notion:write')
        expect(refresh.get('scope')).toBe(known ? login.query.get('scope') : null)
        const isNone = named.every((one) => one === '')
        if (login.resource) expect(refresh.getAll('resource')).toEqual([login.resource.url])
        else expect(refresh.getAll('resource')).toEqual(isNone ? [] : named)
      }),
    )
  })

  it('leave the rest of a token request unchanged', () => {
    const form = new URLSearchParams('grant_type=refresh_token&refresh_token=a%2Bb&client_id=c&client_id=d&odd=%00')
    expect(tokenRequest(form, GATEWAY).toString()).toBe(form.toString())
  })
})

describe('a request on the consent page', () => {
  const request = new URLSearchParams('client_id=one&redirect_uri=http%3A%2F%2F127.0.0.1%2F&state=a+b')

  it('is valid as signed for ten minutes', () => {
    let now = 0
    const { sign, open } = consentRequests(['a secret'], () => now)
    const signed = sign(request)
    expect(open(signed)?.toString()).toBe(request.toString())
    now = 599_000
    expect(open(signed)).toBeDefined()
    now = 600_000
    expect(open(signed)).toBeUndefined()
  })

  it('is valid with any of the secrets, and invalid once changed', () => {
    const signed = consentRequests(['old']).sign(request)
    const { open } = consentRequests(['new', 'old'])
    expect(open(signed)).toBeDefined()
    expect(consentRequests(['new']).open(signed)).toBeUndefined()
    for (const [name, value] of [
      ['state', 'b'],
      ['exp', '9999999999'],
      ['sig', ''],
      ['more', '1'],
    ] as const) {
      const changed = new URLSearchParams(signed)
      changed.set(name, value)
      expect(open(changed), name).toBeUndefined()
    }
  })
})

describe('an error for a client', () => {
  const ISSUER = 'https://app.test/api/auth'
  it.each([
    ['https://client.test/callback?error=invalid_request', 'invalid_request'],
    ['https://app.test.evil.test/callback?error=invalid_request', 'invalid_request'],
    ['https://app.test@evil.test/callback?error=invalid_request', 'invalid_request'],
    ['com.evil.app://app.test/?error=access_denied', 'access_denied'],
    ['https://client.test/callback#error=unsupported_response_type', 'unsupported_response_type'],
    ['https://client.test/callback?code=1', undefined],
    ['https://app.test/oauth/error?error=invalid_client', undefined],
    ['/oauth/error?error=invalid_client', undefined],
  ])('is found in %s', (location, error) => expect(errorForClient(location, ISSUER)).toBe(error))
})

describe('cookies', () => {
  const signed = (value: string, secret: string) =>
    encodeURIComponent(`${value}.${createHmac('sha256', secret).update(value).digest('base64')}`)

  it('signed with an older secret are accepted', () => {
    const resign = resignedCookies(['new', 'old'])
    expect(resign(`a=1; session=${signed('token', 'old')}; b=%`)).toBe(`a=1; session=${signed('token', 'new')}; b=%`)
    for (const other of [signed('token', 'new'), signed('token', 'another'), 'token.x', ''])
      expect(resign(`session=${other}`)).toBe(`session=${other}`)
  })
})

describe('AUTH_SECRETS', () => {
  it('precede AUTH_SECRET, which is still accepted; one is generated without both', () => {
    const generated = () => 'generated'
    expect(authSecrets({ AUTH_SECRETS: ['new', 'old'], AUTH_SECRET: 'old' }, generated)).toEqual(['new', 'old'])
    expect(authSecrets({ AUTH_SECRETS: ['new'], AUTH_SECRET: 'old' }, generated)).toEqual(['new', 'old'])
    expect(authSecrets({ AUTH_SECRET: 'one' }, generated)).toEqual(['one'])
    expect(authSecrets({}, generated)).toEqual(['generated'])
  })
})

describe('a browser', () => {
  it.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
      'Chrome on Linux',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone',
    ],
    ['curl/8.0', undefined],
    ['', undefined],
  ])('has its common name: %s', (agent, name) => expect(browserName(agent)).toBe(name))
})
