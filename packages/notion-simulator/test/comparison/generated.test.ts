/** Compares generated requests; the other files of this folder compare chosen ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorizationParameters, type Json, pkce, postToken, REDIRECT_URI, type Server } from '../client.ts'
import { basic, type Client, clientOf, onBoth, registration } from './compare.ts'

/** Absent, one of these values, or a value of a wrong type. */
const member = (...values: unknown[]) => fc.constantFrom(undefined, undefined, ...values, null, '', 7, {})
const someOf = (...values: string[]) => fc.subarray(values)

/** Mostly the normal value, so that most requests differ in one or two members. */
const often = <Value>(usual: Value, odd: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd })

const SCHEMES = ['https:', 'http:', 'HTTP:', 'cursor:', 'javascript:', 'Data:', 'urn:', '']
const HOSTS = [
  '//localhost',
  '//LOCALHOST:80',
  '//127.0.0.1:4000',
  '//127.9.9.9',
  '//[::1]:1',
  '//localhost.',
  '//a.test',
]
const MORE_HOSTS = ['//ada@localhost', '//ada:x@a.test', '//127.0.0.1.a.test', '//0.0.0.0', '//', '']
const PATHS = ['', '/', '/cb', '/cb?a=b', '/cb#', '/cb#part', '/c b', '/c\tb', '/%zz']
const redirectUri = fc
  .tuple(
    often('https:', fc.constantFrom(...SCHEMES)),
    fc.constantFrom(...HOSTS, ...MORE_HOSTS),
    often('/cb', fc.constantFrom(...PATHS)),
  )
  .map((parts) => parts.join(''))

const grantTypes = ['authorization_code', 'refresh_token', 'implicit', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
const authMethods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
const algorithms = ['RS256', 'ES256']
const addresses = ['https://a.test', 'http://a.test', 'a.test', 'data:,x', 'https://']

const metadata = fc.record<Json>({
  redirect_uris: fc.oneof(
    { weight: 8, arbitrary: fc.array(fc.oneof(redirectUri, fc.constant(REDIRECT_URI)), { maxLength: 3 }) },
    { weight: 1, arbitrary: member(REDIRECT_URI, [7]) },
  ),
  grant_types: often(undefined, fc.oneof(someOf(...grantTypes), member())),
  response_types: often(undefined, fc.oneof(someOf('code', 'token'), member())),
  token_endpoint_auth_method: often('none', member(...authMethods)),
  token_endpoint_auth_methods_supported: often(undefined, fc.oneof(someOf(...authMethods), member())),
  token_endpoint_auth_signing_alg: often(undefined, member(...algorithms)),
  token_endpoint_auth_signing_alg_values_supported: often(undefined, someOf(...algorithms)),
  client_name: often('Client', member()),
  client_uri: often(undefined, member(...addresses)),
  'logo_uri#de': often(undefined, member(...addresses)),
  client_id: often(undefined, member('mine')),
  contacts: often(undefined, member(['ada@acme.test'])),
})

describe('generated requests', () => {
  it('to register get the same outcome', async () => {
    await fc.assert(
      fc.asyncProperty(metadata, async (given) => {
        const { library, simulator } = await onBoth((server) => registration(server, given))
        expect(simulator).toEqual(library)
      }),
      { numRuns: 150 },
    )
  })

  it('to authorize get the same outcome', async () => {
    const resources = [
      '{mcp}',
      '{url}',
      '{url}/',
      '{mcp}/',
      '{mcp}?a=b',
      '{mcp}#',
      '{MCP}',
      'urn:a',
      '',
      'https://a.test',
    ]
    const redirectUris = [REDIRECT_URI, 'https://a.test/cb', 'http://a.test/cb', 'cursor://cb', '']
    const parameters = fc.record({
      response_type: often<string | null>('code', fc.constantFrom('token', 'code token', '', null)),
      redirect_uri: often<string | null>(REDIRECT_URI, fc.constantFrom(...redirectUris, 'https://b.test', null)),
      code_challenge: often<string | null>(pkce().challenge, fc.constantFrom('', null)),
      code_challenge_method: often<string | null>('S256', fc.constantFrom('plain', 's256', '', null)),
      scope: fc.constantFrom('default', 'other', '', null),
      resource: often(['{mcp}'], fc.array(fc.constantFrom(...resources), { maxLength: 2 })),
    })
    const client = fc.record({
      redirect_uris: fc.constantFrom(
        [REDIRECT_URI],
        [REDIRECT_URI, 'https://a.test/cb', 'http://a.test/cb', 'cursor://cb'],
      ),
      token_endpoint_auth_method: fc.constantFrom('none', 'client_secret_post'),
    })
    await fc.assert(
      fc.asyncProperty(client, parameters, async (given, { resource, ...changes }) => {
        const { library, simulator } = await onBoth(async (server) => {
          const { client_id } = await clientOf(server, given)
          const query = authorizationParameters(server, client_id, '', {
            ...(changes as Record<string, string | null>),
            resource: null,
          })
          const origin = server.url.replace('http://localhost', 'HTTP://Localhost')
          for (const text of resource) {
            const value = text
              .replace('{mcp}', server.mcpUrl)
              .replace('{url}', server.url)
              .replace('{MCP}', `${origin}/mcp`)
            query.append('resource', value)
          }
          return fetch(`${server.url}/authorize?${query}`, { redirect: 'manual' })
        })
        expect(simulator).toEqual(library)
      }),
      { numRuns: 120 },
    )
  })

  it.each(['none', 'client_secret_basic', 'client_secret_post', undefined])(
    'with the credentials of a client of method %s get the same outcome',
    async (token_endpoint_auth_method) => {
      const clients = new Map<string, Client>()
      const credentials = fc.record({
        id: fc.constantFrom(...IDS),
        secret: fc.constantFrom(...SECRETS),
        header: fc.constantFrom(...HEADERS),
        assertion: fc.constantFrom(...ASSERTIONS),
      })
      await fc.assert(
        fc.asyncProperty(credentials, async (given) => {
          const { library, simulator } = await onBoth(async (server) => {
            const client = clients.get(server.url) ?? (await clientOf(server, { token_endpoint_auth_method }))
            clients.set(server.url, client)
            return presented(given, client, server)
          })
          expect(simulator).toEqual(library)
        }),
        { numRuns: 100 },
      )
    },
  )
})

// Repeated entries are drawn more often.
const IDS = ['absent', 'absent', 'right', 'right', 'wrong', 'empty', 'twice'] as const
const SECRETS = ['absent', 'absent', 'right', 'right', 'wrong', 'empty'] as const
const HEADERS = [
  'absent',
  'absent',
  'absent',
  'right',
  'right',
  'right',
  'wrong',
  'without a secret',
  'malformed',
  'of another scheme',
] as const
const ASSERTIONS = ['absent', 'absent', 'absent', 'absent', 'absent', 'absent', 'without a type', 'complete'] as const

type Credentials = {
  id: (typeof IDS)[number]
  secret: (typeof SECRETS)[number]
  header: (typeof HEADERS)[number]
  assertion: (typeof ASSERTIONS)[number]
}

/** A refresh with an unknown token, so that the result depends on the client's credentials. */
function presented(
  { id, secret, header, assertion }: Credentials,
  { client_id, client_secret = 'none' }: Partial<Client>,
  server: Server,
): Promise<Response> {
  const name = client_id ?? ''
  const ids = { absent: null, right: name, wrong: 'unknown', empty: '', twice: [name, name] }
  const secrets = { absent: null, right: client_secret, wrong: 'wrong', empty: '' }
  const headers = {
    absent: {},
    right: basic(name, client_secret),
    wrong: basic(name, 'wrong'),
    'without a secret': basic(name, ''),
    malformed: { authorization: 'Basic %%%' },
    'of another scheme': { authorization: 'Bearer a:b:c' },
  }
  const form = {
    grant_type: 'refresh_token',
    refresh_token: 'a:b:c',
    client_id: ids[id],
    client_secret: secrets[secret],
    client_assertion: assertion === 'absent' ? null : 'x',
    client_assertion_type: assertion === 'complete' ? 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' : null,
  }
  return postToken(server, form, headers[header])
}
