import { describe, expect, it } from 'vitest'
import { clientFrom, isDocumentUrl } from './metadata-document.ts'

const URL = 'https://client.test/metadata.json'
const DOCUMENT = { client_id: URL, client_name: 'Ferry', redirect_uris: ['https://client.test/cb'] }

describe('a client_id', () => {
  it.each([
    [URL, true],
    ['https://client.test/', false],
    ['http://client.test/metadata.json', false],
    ['https://client.test/metadata.json#part', false],
    ['https://user:pass@client.test/metadata.json', false],
    ['egkQ8hkrnln1eacS', false],
  ])('%s is a document: %s', (id, expected) => {
    expect(isDocumentUrl(id)).toBe(expected)
  })
})

describe('a metadata document', () => {
  it('describes a public client', () => {
    expect(clientFrom(DOCUMENT, URL, 0)).toEqual({
      id: URL,
      name: 'Ferry',
      authMethod: 'none',
      isAuthMethodNamed: true,
      grantTypes: ['authorization_code', 'refresh_token'],
      responseTypes: ['code'],
      redirectUris: ['https://client.test/cb'],
      registeredAt: 0,
    })
  })

  it.each([
    ['names another client', { ...DOCUMENT, client_id: `${URL}?x` }],
    ['has no name', { ...DOCUMENT, client_name: undefined }],
    ['has no redirect URIs', { ...DOCUMENT, redirect_uris: [] }],
    ['has redirect URIs that are none', { ...DOCUMENT, redirect_uris: [1] }],
    ['wants to have a secret', { ...DOCUMENT, token_endpoint_auth_method: 'client_secret_post' }],
    ['is no object', 'client'],
  ])('is rejected when it %s', (_, document) => {
    expect(clientFrom(document, URL, 0)).toBeUndefined()
  })
})
