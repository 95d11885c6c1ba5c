import { describe, it } from 'vitest'
import { REDIRECT_URI, type Json, type Server } from '../client.ts'
import { compare, type Outcome, registration } from './compare.ts'

const BAD_METADATA: Outcome = [400, 'invalid_client_metadata']
const DONE: Outcome = [201, null]

describe('registration', () => {
  it.each<[metadata: Json, expected: Outcome]>([
    [{}, DONE],
    [{ redirect_uris: ['https://broker.example/cb'] }, DONE],
    [{ redirect_uris: ['http://127.0.0.1:8080/cb', 'http://[::1]/cb'] }, DONE],
    [{ redirect_uris: ['http://broker.example/cb'] }, BAD_METADATA],
    [{ redirect_uris: ['http://192.168.0.1/cb'] }, BAD_METADATA],
    [{ redirect_uris: ['http://localhost.example/cb'] }, BAD_METADATA],
    [{ redirect_uris: ['http://127.0.0.256/cb'] }, BAD_METADATA],
    [{ redirect_uris: ['http://broker.example/cb', 'https://broker.example/cb'] }, DONE],
    [{ redirect_uris: ['https://broker.example/cb#fragment'] }, BAD_METADATA],
    [{ redirect_uris: ['https://broker.example/cb#'] }, BAD_METADATA],
    [{ redirect_uris: [REDIRECT_URI, 'https://broker.example/cb#fragment'] }, BAD_METADATA],
    [{ redirect_uris: ['https://ada@broker.example/cb'] }, BAD_METADATA],
    [{ redirect_uris: ['broker.example/cb'] }, BAD_METADATA],
    [{ redirect_uris: ['https://'] }, BAD_METADATA],
    [{ redirect_uris: ['javascript:alert(1)'] }, BAD_METADATA],
    [{ redirect_uris: [REDIRECT_URI, 'file:///etc/passwd'] }, BAD_METADATA],
    [{ redirect_uris: ['https://broker.example/\u0007'] }, BAD_METADATA],
    [{ redirect_uris: ['cursor://callback'] }, BAD_METADATA],
    [{ redirect_uris: ['cursor://callback', REDIRECT_URI] }, DONE],
    [{ redirect_uris: [] }, BAD_METADATA],
    [{ redirect_uris: null }, BAD_METADATA],
    [{ redirect_uris: REDIRECT_URI }, BAD_METADATA],
    [{ redirect_uris: [7] }, BAD_METADATA],
    [{ grant_types: ['authorization_code'] }, DONE],
    [{ grant_types: ['authorization_code', 'refresh_token'] }, DONE],
    [{ grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'] }, DONE],
    [{ grant_types: ['authorization_code', 'implicit'] }, BAD_METADATA],
    [{ grant_types: ['authorization_code', 'client_credentials'] }, BAD_METADATA],
    [{ grant_types: ['authorization_code', 'password'] }, BAD_METADATA],
    [{ grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:token-exchange'] }, BAD_METADATA],
    [{ grant_types: 'authorization_code' }, BAD_METADATA],
    [{ grant_types: null }, BAD_METADATA],
    [{ grant_types: [] }, BAD_METADATA],
    [{ grant_types: ['refresh_token'] }, BAD_METADATA],
    [{ grant_types: ['refresh_token'], response_types: [] }, DONE],
    [{ response_types: ['code'] }, DONE],
    [{ response_types: ['token'] }, BAD_METADATA],
    [{ response_types: ['code', 'token'] }, BAD_METADATA],
    [{ response_types: ['code id_token'] }, BAD_METADATA],
    [{ response_types: [] }, BAD_METADATA],
    [{ token_endpoint_auth_method: 'client_secret_basic' }, DONE],
    [{ token_endpoint_auth_method: 'client_secret_post' }, DONE],
    [{ token_endpoint_auth_method: undefined }, DONE],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, BAD_METADATA],
    [{ token_endpoint_auth_method: '' }, BAD_METADATA],
    [{ token_endpoint_auth_method: null }, BAD_METADATA],
    [{ token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] }, DONE],
    [{ token_endpoint_auth_methods_supported: ['private_key_jwt'] }, BAD_METADATA],
    [{ token_endpoint_auth_method: undefined, token_endpoint_auth_methods_supported: ['none'] }, DONE],
    [
      { token_endpoint_auth_method: undefined, token_endpoint_auth_methods_supported: ['tls_client_auth'] },
      BAD_METADATA,
    ],
    [{ client_name: 'Ada’s broker' }, DONE],
    [{ client_name: 7 }, BAD_METADATA],
    [{ 'client_name#de': 7 }, BAD_METADATA],
    [{ client_uri: 'https://broker.example' }, DONE],
    [{ client_uri: 'broker.example' }, BAD_METADATA],
    [{ logo_uri: 'data:image/png;base64,AA' }, BAD_METADATA],
    [{ tos_uri: 'ftp://broker.example' }, BAD_METADATA],
    [{ 'policy_uri#de': '' }, BAD_METADATA],
    [{ jwks_uri: 'keys' }, BAD_METADATA],
    [{ contacts: 'ada@acme.test' }, BAD_METADATA],
    [{ contacts: [null] }, BAD_METADATA],
    [{ unknown_member: { of: 'any kind' } }, DONE],
  ])('of %j', async (metadata, expected) => {
    await compare((server) => registration(server, metadata), expected)
  })

  it.each<[body: string, expected: Outcome]>([
    ['', [400, 'invalid_request']],
    ['{', [400, 'invalid_request']],
    ['[]', BAD_METADATA],
    ['null', BAD_METADATA],
    ['"text"', BAD_METADATA],
    ['{}', BAD_METADATA],
    [`{"client_name":"${'x'.repeat(1024 * 1024)}"}`, [413, 'invalid_request']],
  ])('of the text %.20s', async (body, expected) => {
    await compare((server: Server) => fetch(`${server.url}/register`, { method: 'POST', body }), expected)
  })

  it.each(['GET', 'PUT', 'DELETE'])('by %s', async (method) => {
    await compare((server) => fetch(`${server.url}/register`, { method }), [405, 'invalid_request'])
  })
})
