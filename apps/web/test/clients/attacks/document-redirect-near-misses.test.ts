/** An answer goes where the document says, letter by letter, or nowhere; also before the document is known, and when it is not valid. */
import { expect, it } from 'vitest'
import { authorizationServerScene } from '@/test/clients/clients.ts'
import { documentSite, trusting } from '@/test/clients/document-site.ts'
import { askers } from './askers.ts'

const site = documentSite()
const on = authorizationServerScene(trusting)
const ask = askers(on)
const CALLBACK = 'https://client.test/callback?kept=1'

it('redirects to a URI of the document', async () => {
  const clientId = site().publish({ redirect_uris: [CALLBACK] })
  expect(await ask(clientId, { redirect_uri: CALLBACK })).toBe('/oauth/consent')
})

it.each([
  'https://client.test/callback',
  'https://client.test/callback?kept=1&more=2',
  'https://client.test/Callback?kept=1',
  'https://client.test:8443/callback?kept=1',
  'https://client.test.evil.test/callback?kept=1',
  'https://evil.test/callback?kept=1',
  'https://client.test/callback/../evil?kept=1',
  'client.test:/callback?kept=1',
])('does not redirect to %s', async (redirect) => {
  const clientId = site().publish({ redirect_uris: [CALLBACK] })
  for (const changes of [{}, { prompt: 'none' }]) {
    expect(await ask(clientId, { redirect_uri: redirect, ...changes })).toBe('invalid_redirect')
  }
})

it.each([
  'http://client.test/callback',
  'https://client.test/callback?kept=1#fragment',
  'https://client.test@evil.test/callback?kept=1',
  'javascript:alert(1)',
  '//client.test/callback',
  '',
])('does not fetch the document for an unacceptable redirect URI: %s', async (redirect) => {
  const clientId = site().publish({ redirect_uris: [redirect] })
  expect(await ask(clientId, { redirect_uri: redirect })).toBe('invalid_request')
  expect(site().visits).toEqual([])
})

it('rejects a document with one such redirect URI and sends no error to the others', async () => {
  const clientId = site().publish({ redirect_uris: [CALLBACK, 'http://client.test/callback'] })
  expect(await ask(clientId, { redirect_uri: CALLBACK })).toBe('document_redirects')
})

it('does not redirect an incomplete request of an unknown client', async () => {
  const clientId = site().publish({ redirect_uris: [CALLBACK] })
  for (const changes of [
    { response_type: 'token' },
    { code_challenge: null },
    { code_challenge_method: 'plain' },
    { resource: null },
    { resource: 'https://other.test/mcp' },
    { redirect_uri: null },
  ]) {
    expect(await ask(clientId, { redirect_uri: CALLBACK, ...changes })).toBe('invalid_request')
  }
  expect(site().visits).toEqual([])
})
