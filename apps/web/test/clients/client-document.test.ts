import { describe, expect, it } from 'vitest'
import { clientDocument, documentUrl, freshSeconds } from '@/authorization-server/client-document.ts'

const faultOf = (work: () => unknown): unknown => {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('the address of a document', () => {
  it.each([
    'https://client.test/oauth.json',
    'https://client.test:8443/a/b?version=2',
    'https://client.test/oauth/',
    'https://xn--bcher-kva.test/client',
    'http://localhost:3000/client.json',
    'http://127.0.0.1/client.json',
  ])('may be %s', (address) => {
    expect(documentUrl(address).href).toBe(address)
  })

  it.each([
    'https://client.test',
    'https://client.test/',
    'https://client.test/oauth.json#part',
    'https://client.test/oauth.json#',
    'https://client.test/a/../oauth.json',
    'https://client.test/a/%2e%2E/oauth.json',
    'https://client.test/./oauth.json',
    'https://user@client.test/oauth.json',
    'https://:password@client.test/oauth.json',
    'https://@client.test/oauth.json',
    'https://CLIENT.test/oauth.json',
    'HTTPS://client.test/oauth.json',
    'https://client.test:443/oauth.json',
    'https://client.test\\oauth.json',
    'https:client.test/oauth.json',
    'https://bücher.test/client',
    'https://client.test/a b',
    'https://client.test/a\tb',
    'https://127.1/client',
    'https://2130706433/client',
    'https://0x7f.0.0.1/client',
    'http://client.test/oauth.json',
    'http://localhost.client.test/oauth.json',
    'http://127.1/oauth.json',
    'https://',
    `https://client.test/${'a'.repeat(500)}`,
  ])('is not %s', (address) => {
    expect(faultOf(() => documentUrl(address))).toBe('document_address')
  })
})

describe('a document', () => {
  const url = new URL('https://client.test/oauth.json')
  const document = { client_id: url.href, client_name: 'A client', redirect_uris: ['https://client.test/callback'] }
  const read = (changes: object) => () => clientDocument(url, { ...document, ...changes })

  it('describes a public client by default', () => {
    expect(read({})()).toMatchObject({ name: 'A client', authMethod: 'none' })
    expect(read({ token_endpoint_auth_method: 'none', jwks_uri: 'https://client.test/keys' })()).toMatchObject({
      redirectUris: document.redirect_uris,
    })
  })

  it.each([
    ['document_invalid', []],
    ['document_invalid', 'text'],
    ['document_invalid', null],
    ['document_invalid', { client_id: 7 }],
  ])('is rejected if malformed: %s', (fault, content) => {
    expect(faultOf(() => clientDocument(url, content))).toBe(fault)
  })

  it.each([
    ['document_of_another', { client_id: 'https://client.test/other.json' }],
    ['document_of_another', { client_id: `${url.href}/` }],
    ['document_of_another', { client_id: 'HTTPS://client.test/oauth.json' }],
    ['document_secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['document_secret', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['document_secret', { client_secret: 'known to all' }],
    ['document_redirects', { redirect_uris: [] }],
    ['document_redirects', { redirect_uris: undefined }],
    ['document_redirects', { redirect_uris: ['https://client.test/callback', 'javascript:alert(1)'] }],
    ['document_invalid', { client_name: 7 }],
  ])('is rejected: %s, %j', (fault, changes) => {
    expect(faultOf(read(changes))).toBe(fault)
  })
})

describe('a document is cached', () => {
  it.each([
    [null, 300],
    ['', 300],
    ['max-age=3600', 3600],
    ['public, Max-Age=7200', 7200],
    ['max-age="600"', 600],
    ['max-age=1', 300],
    ['max-age=999999', 86_400],
    ['max-age=99999999999999999999', 86_400],
    ['max-age=-1', 300],
    ['s-maxage=7200', 300],
    ['no-cache, max-age=7200', 300],
    ['max-age=7200,no-store', 300],
  ])('as long as its server allows, within bounds: %j, %d seconds', (cacheControl, seconds) => {
    expect(freshSeconds(cacheControl)).toBe(seconds)
  })
})
