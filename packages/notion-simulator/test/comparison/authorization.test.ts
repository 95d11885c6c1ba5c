import { describe, it } from 'vitest'
import { authorizationParameters, type Json, pkce, REDIRECT_URI, type Server } from '../client.ts'
import { clientOf, compare, type Outcome, type Parameters } from './compare.ts'

const PAGE: Outcome = [400, null]
const ALLOWED: Outcome = [302, null]
const redirected = (error: string): Outcome => [302, error]

async function authorization(
  server: Server,
  changes: (server: Server) => Parameters,
  metadata: Json = {},
  more: [name: string, value: string][] = [],
): Promise<Response> {
  const { client_id } = await clientOf(server, metadata)
  const query = authorizationParameters(server, client_id, pkce().challenge, changes(server))
  for (const [name, value] of more) query.append(name, value)
  return fetch(`${server.url}/authorize?${query}`, { redirect: 'manual' })
}

describe('an authorization request', () => {
  it.each<[parameters: Parameters, expected: Outcome, ours?: Outcome]>([
    [{}, ALLOWED],
    [{ state: null }, ALLOWED],
    [{ scope: 'default unknown' }, ALLOWED],
    [{ client_id: null }, PAGE],
    [{ client_id: 'unknown' }, PAGE],
    [{ redirect_uri: null }, PAGE],
    [{ redirect_uri: 'https://elsewhere.example/callback' }, PAGE],
    [{ redirect_uri: `${REDIRECT_URI}/more` }, PAGE],
    [{ redirect_uri: `${REDIRECT_URI}#fragment` }, PAGE],
    // Deliberately stricter: Notion's page also compared the port of a loopback address.
    [{ redirect_uri: REDIRECT_URI.replace('4000', '4001') }, ALLOWED, PAGE],
    [{ response_type: null }, redirected('invalid_request')],
    [{ response_type: 'token' }, redirected('unsupported_response_type')],
    [{ response_type: 'code token' }, redirected('unsupported_response_type')],
    [{ code_challenge_method: 'plain' }, redirected('invalid_request')],
    [{ code_challenge_method: null }, redirected('invalid_request')],
    [{ code_challenge_method: 'S512' }, redirected('invalid_request')],
    [{ code_challenge: null }, redirected('invalid_request')],
    [{ code_challenge: null, code_challenge_method: null }, redirected('invalid_request')],
  ])('with %j', async (parameters, expected, ours) => {
    await compare((server) => authorization(server, () => parameters), expected, ours)
  })

  it.each<[resource: string, of: (server: Server) => string | null, expected: Outcome]>([
    ['the endpoint', ({ mcpUrl }) => mcpUrl, ALLOWED],
    ['nothing', () => null, ALLOWED],
    ['a foreign endpoint', () => 'https://elsewhere.example/mcp', redirected('invalid_target')],
    ['the bare origin', ({ url }) => url, redirected('invalid_target')],
    ['the origin with a slash', ({ url }) => `${url}/`, redirected('invalid_target')],
    ['the endpoint with a slash', ({ mcpUrl }) => `${mcpUrl}/`, redirected('invalid_target')],
    ['a path below the endpoint', ({ mcpUrl }) => `${mcpUrl}/more`, redirected('invalid_target')],
    ['the endpoint with a fragment', ({ mcpUrl }) => `${mcpUrl}#top`, redirected('invalid_target')],
    ['the endpoint with a query', ({ mcpUrl }) => `${mcpUrl}?mode=x`, ALLOWED],
    ['the endpoint in capitals', ({ mcpUrl }) => mcpUrl.replace('http://localhost', 'HTTP://LOCALHOST'), ALLOWED],
    ['another path in capitals', ({ mcpUrl }) => mcpUrl.replace('/mcp', '/MCP'), redirected('invalid_target')],
    ['the address without its scheme', ({ mcpUrl }) => mcpUrl.slice(7), redirected('invalid_target')],
    ['an empty text', () => '', redirected('invalid_target')],
  ])('for %s', async (_, of, expected) => {
    await compare((server) => authorization(server, (asked) => ({ resource: of(asked) })), expected)
  })

  it('for two resources', async () => {
    const both = (more: (server: Server) => string) => (server: Server) =>
      authorization(server, () => ({}), {}, [['resource', more(server)]])
    await compare(
      both(({ mcpUrl }) => mcpUrl),
      ALLOWED,
    )
    await compare(
      both(({ url }) => url),
      redirected('invalid_target'),
    )
  })

  // Deliberately stricter: RFC 6749 §3.1.
  it('with a repeated parameter', async () => {
    await compare((server) => authorization(server, () => ({}), {}, [['state', 'another']]), ALLOWED, PAGE)
  })

  it.each<[metadata: Json, parameters: Parameters, expected: Outcome]>([
    [{ redirect_uris: [REDIRECT_URI, 'cursor://callback'] }, { redirect_uri: 'cursor://callback' }, PAGE],
    [{ redirect_uris: [REDIRECT_URI, 'http://broker.example/cb'] }, { redirect_uri: 'http://broker.example/cb' }, PAGE],
    [{ grant_types: ['refresh_token'], response_types: [] }, {}, redirected('unauthorized_client')],
    [
      { token_endpoint_auth_method: 'client_secret_basic' },
      { code_challenge: null, code_challenge_method: null },
      ALLOWED,
    ],
  ])('of a client with %j, with %j', async (metadata, parameters, expected) => {
    await compare((server) => authorization(server, () => parameters, metadata), expected)
  })
})
