import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { StartupError } from '@nmg/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signInProviders } from '@/lib/sign-in-providers.ts'

let server: Server
let issuer: string
let answer = { status: 200, body: '' }

beforeAll(async () => {
  server = createServer((_, response) => void response.writeHead(answer.status).end(answer.body)).listen(0)
  await once(server, 'listening')
  issuer = `http://localhost:${(server.address() as AddressInfo).port}`
})

afterAll(() => void server?.close())

const settings = () => ({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: 'nmg',
  OIDC_CLIENT_SECRET: 'a-secret',
  OIDC_NAME: 'North',
  GOOGLE_CLIENT_ID: 'google',
  GOOGLE_CLIENT_SECRET: 'a-secret',
  GITHUB_CLIENT_ID: 'github',
  GITHUB_CLIENT_SECRET: 'a-secret',
})

describe('an OpenID provider', () => {
  it.each([401, 403, 408, 429, 500, 502, 503])('with status %i is retried after the start', async (status) => {
    answer = { status, body: '<html>Back soon</html>' }
    expect((await signInProviders(settings())).oidc).toBe('silent')
  })

  it('with an endless configuration is retried', async () => {
    answer = { status: 200, body: ' '.repeat(2 * 1024 * 1024) }
    expect((await signInProviders(settings())).oidc).toBe('silent')
  })

  it.each([
    ['has no configuration', 404, 'Not found'],
    ['has another page there', 200, '<html>'],
    ['is another one', 200, '{"issuer":"https://other.example","jwks_uri":"https://other.example/jwks"}'],
  ])('that %s is a wrong setting', async (_, status, body) => {
    answer = { status, body }
    await expect(signInProviders(settings())).rejects.toThrow(StartupError)
  })
})

describe('a name from a provider', () => {
  it.each([
    [{ name: 'Ada Lovelace' }, 'Ada Lovelace'],
    [{ name: 'Ada\r\nBcc: x@y.test' }, 'Ada Bcc: x@y.test'],
    [{ name: '\u202eAda\u2066' }, 'Ada'],
    [{ name: '\u200b', preferred_username: 'ada' }, 'ada'],
    [{ name: null, login: 'ada-l' }, 'ada-l'],
    [{ name: 7, email: 'ada@north.test' }, 'ada@north.test'],
    [{ name: 'A'.repeat(500) }, 'A'.repeat(100)],
    [{}, 'Somebody'],
  ])('is cleaned: %j', async (profile, expected) => {
    answer = { status: 503, body: '' }
    const { social } = await signInProviders(settings())
    expect(social.google?.mapProfileToUser(profile)).toEqual({ name: expected })
    expect(social.github?.mapProfileToUser(profile)).toEqual({ name: expected })
  })
})
