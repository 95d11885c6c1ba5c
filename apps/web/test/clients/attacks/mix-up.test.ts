/** A client that talks to several authorization servers must be able to tell whose answer it got (RFC 9207). */
import { describe, expect, it } from 'vitest'
import { decide, open, registerClient } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'

const on = authorizationServerScene()

describe('every authorization response', () => {
  it('names the issuer of the metadata and the tokens', async () => {
    const client = await registerClient(on().webUrl)
    expect(client.server.issuer).toBe(`${on().webUrl}/api/auth`)
    const page = await open(on().ada, client.authorizeUrl(on().resource()))
    const answers = [
      await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:read' }),
      await decide(on().ada, page, { allow: false }),
      await open(on().ada, client.authorizeUrl(on().resource(), { prompt: 'none' })),
      await open(on().ada, client.authorizeUrl(on().resource(), { resource: null })),
      await open(on().ada, client.authorizeUrl(on().resource(), { code_challenge: null })),
    ]
    expect(answers.map(({ searchParams }) => searchParams.getAll('iss'))).toEqual(
      answers.map(() => [client.server.issuer]),
    )
    expect(answers.map(({ searchParams }) => searchParams.get('state'))).toEqual(
      answers.map(() => 'state-of-the-client'),
    )
  })

  it('keeps existing query parameters of a redirect URI', async () => {
    const redirect = 'https://client.test/callback?iss=https%3A%2F%2Fevil.test&code=stale&state=stale'
    const client = await registerClient(on().webUrl, { redirect_uris: [redirect] })
    const page = await open(on().ada, client.authorizeUrl(on().resource(), { redirect_uri: redirect }))
    const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:read' })
    expect(back.searchParams.getAll('iss')).toEqual([client.server.issuer])
    expect(back.searchParams.getAll('code')).not.toContain('stale')
    expect(back.searchParams.getAll('state')).toEqual(['state-of-the-client'])
  })
})
