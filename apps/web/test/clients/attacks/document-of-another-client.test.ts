/** A client is who can publish a document at its id. A copy of it elsewhere, or a secret that everybody can read, proves nothing. */
import { expect, it } from 'vitest'
import { describedClient, logIn, open, registerClient } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'
import { documentSite, trusting } from '@/test/clients/document-site.ts'
import { askers } from './askers.ts'

const site = documentSite()
const on = authorizationServerScene(trusting)
const ask = askers(on)

it.each([
  ['another path', (own: string) => own.replace('.json', '')],
  ['another host', (own: string) => own.replace('localhost', 'good.test')],
  ['another spelling of it', (own: string) => own.replace('localhost', 'LOCALHOST')],
  ['a path below it', (own: string) => `${own}/`],
  ['a query', (own: string) => `${own}?`],
  ['several', (own: string) => [own]],
  ['nobody', () => undefined],
])('rejects a document of %s', async (_, other) => {
  const clientId = site().publish()
  site().replace(clientId, { client_id: other(clientId) })
  expect(['document_of_another', 'document_invalid']).toContain(await ask(clientId))
  const { rowCount } = await on().database.query('select from web.oauth_client where client_id = $1', [clientId])
  expect(rowCount).toBe(0)
})

it.each([
  { token_endpoint_auth_method: 'client_secret_basic' },
  { token_endpoint_auth_method: 'client_secret_post' },
  { token_endpoint_auth_method: 'client_secret_jwt' },
  { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } },
  { client_secret: 'known to all' },
])('rejects a document with a secret: %j', async (changes) => {
  expect(await ask(site().publish(changes))).toBe('document_secret')
})

it('a document makes nobody less careful: the user is asked, PKCE is needed, and only what a document may say counts', async () => {
  const clientId = site().publish({
    skip_consent: true,
    skipConsent: true,
    require_pkce: false,
    scope: 'admin',
    grant_types: ['client_credentials', 'authorization_code'],
    disabled: false,
  })
  const client = await describedClient(on().webUrl, clientId)
  const { refresh_token } = await logIn(on().ada, client, on().resource())
  expect((await open(on().ada, client.authorizeUrl(on().resource()))).pathname).toBe('/oauth/consent')
  const silent = await open(on().ada, client.authorizeUrl(on().resource(), { prompt: 'none' }))
  expect(silent.searchParams.get('error')).toBe('consent_required')
  const bare = await open(on().ada, client.authorizeUrl(on().resource(), { code_challenge: null }))
  expect(bare.searchParams.get('error')).toBe('invalid_request')
  expect((await client.token({ grant_type: 'client_credentials' })).status).toBe(400)
  // Nor does a secret that was never given.
  const secret = await client.refresh(refresh_token, { client_secret: 'made up' })
  expect(secret.status).not.toBe(200)
})

it('registration assigns a new id, whatever id is requested', async () => {
  for (const client_id of [site().publish(), 'an-id-of-my-own']) {
    const registered = await registerClient(on().webUrl, { client_id })
    expect(registered.clientId).not.toBe(client_id)
    expect(registered.clientId).toMatch(/^[\w-]{32}$/)
  }
})
