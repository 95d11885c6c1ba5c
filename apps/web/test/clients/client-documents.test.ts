/** Clients that do not register: the address of a document that describes them is their id. */
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import type { UserClient } from '@/test/support/user.ts'
import { sweep } from '@/authorization-server/sweep.ts'
import { freePort } from '@/test/support/product.ts'
import { decide, describedClient, logIn, metadataOf, open, registerClient } from './client-user.ts'
import { authorizationServerScene, clientsScene } from './clients.ts'
import { documentSite, trusting } from './document-site.ts'

const site = documentSite()
const on = clientsScene(trusting)

/** Somebody else in each test: what one user may have asked for within a minute is bounded. */
let asker: UserClient
let askers = 0
beforeEach(async () => {
  asker = await on().newUser(`Asker${++askers}`)
})

/** Where the user's browser is sent by a request of this client; the error, where there is one. */
const asked = async (clientId: string, changes: Record<string, string | null> = {}) => {
  const client = await describedClient(on().webUrl, clientId)
  const { pathname, searchParams } = await open(asker, client.authorizeUrl(on().resource(), changes))
  return pathname === '/oauth/error' ? searchParams.get('error') : pathname
}
const age = (clientId: string, { fetched = '1 minute', fresh = '1 second' } = {}) =>
  on().database.query(
    `update web.client_document set fetched_at = now() - $2::interval, fresh_until = now() - $3::interval
     where client_id = $1`,
    [clientId, fetched, fresh],
  )

describe('a client with only a metadata document', () => {
  it('discovers that documents are supported', async () => {
    expect(await metadataOf(on().webUrl)).toMatchObject({
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none']),
    })
  })

  it('logs in, lists tools, refreshes, appears in the list and is revoked', async () => {
    const client = await describedClient(on().webUrl, site().publish({ client_name: 'Described\u202Eclient' }))
    const tokens = await logIn(on().ada, client, on().resource())
    expect(decodeJwt(tokens.access_token)).toMatchObject({ client_id: client.clientId, aud: on().resource() })
    const list = await on().listTools(tokens.access_token)
    expect(await list.text()).toContain('notion-search')

    const refreshed = (await (await client.refresh(tokens.refresh_token)).json()) as typeof tokens
    expect(await on().statusOf(refreshed.access_token)).toBe(200)
    // It was described once, and nothing after that needed to know more.
    expect(site().visits).toHaveLength(1)

    const seen = await on().ada.fetch(`/api/spaces/${on().ada.spaceId}/clients`)
    const { host } = new URL(site().origin)
    expect(await seen.json()).toMatchObject({
      callers: [{ by: { kind: 'login', name: 'Described client', host } }],
    })

    const { rows } = await on().database.query<{ id: string }>('select id from web.oauth_grant where client_id = $1', [
      client.clientId,
    ])
    await on().ada.fetch(`/api/account/clients/${rows[0]?.id}`, { method: 'DELETE' })
    await expect.poll(() => on().statusOf(refreshed.access_token)).toBe(401)
    expect((await client.refresh(refreshed.refresh_token)).status).toBe(400)
  })

  it('revokes its own access, and not that of another client', async () => {
    const [one, other] = await Promise.all([0, 1].map(async () => describedClient(on().webUrl, site().publish())))
    if (!one || !other) throw new Error('two clients')
    const tokens = await logIn(on().ada, one, on().resource())
    const others = await logIn(on().ada, other, on().resource())
    const revoked = await fetch(one.server.revocation_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ client_id: one.clientId, token: tokens.refresh_token }),
    })
    expect(revoked.status).toBe(200)
    await expect.poll(() => on().statusOf(tokens.access_token)).toBe(401)
    expect(await on().statusOf(others.access_token)).toBe(200)
  })

  it('has sessions that no other client can use', async () => {
    const [one, other] = [site().publish(), site().publish()]
    const tokenOf = async (clientId: string) =>
      (await logIn(on().ada, await describedClient(on().webUrl, clientId), on().resource())).access_token
    const call = (token: string, body: object, sessionId?: string) =>
      fetch(on().resource(), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
      })
    on().product.simulator.setOptions({ sessions: 'required' })
    const [mine, theirs] = [await tokenOf(one), await tokenOf(other)]
    const begun = await call(mine, {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'described', version: '1' } },
    })
    const sessionId = begun.headers.get('mcp-session-id') ?? ''
    expect(sessionId).not.toBe('')
    expect((await call(mine, { method: 'tools/list' }, sessionId)).status).toBe(200)
    expect((await call(theirs, { method: 'tools/list' }, sessionId)).status).toBe(404)
    on().product.simulator.setOptions({ sessions: 'none' })
  })

  it('is fetched only after the user has signed in, who then returns to the request', async () => {
    const client = await describedClient(on().webUrl, site().publish())
    const url = client.authorizeUrl(on().resource(), { state: 'a&b=c d' })
    const sent = await fetch(url, { redirect: 'manual' })
    const signIn = new URL(sent.headers.get('location') ?? '')
    expect(signIn.pathname).toBe('/sign-in')
    expect(site().visits).toEqual([])

    // Now signed in; the page goes where its address says.
    const next = await on().ada.fetch(signIn.pathname + signIn.search)
    const onward = new URL(next.headers.get('location') ?? '', on().webUrl)
    const page = await open(on().ada, onward.href)
    const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:read' })
    expect(back.searchParams.get('state')).toBe('a&b=c d')
    expect((await client.redeem(back.searchParams.get('code') ?? '')).status).toBe(200)
  })
})

describe('a metadata document', () => {
  const MOVED = { redirect_uris: ['https://moved.test/callback'] }
  const toMoved = { redirect_uri: 'https://moved.test/callback' }

  it('is cached as long as its server allows, then read again', async () => {
    const clientId = site().publish({}, { 'cache-control': 'max-age=3600' })
    expect(await asked(clientId)).toBe('/oauth/consent')
    const { rows } = await on().database.query<{ seconds: number }>(
      `select extract(epoch from fresh_until - fetched_at)::int as seconds from web.client_document where client_id = $1`,
      [clientId],
    )
    expect(rows).toEqual([{ seconds: 3600 }])

    site().replace(clientId, MOVED)
    expect(await asked(clientId)).toBe('/oauth/consent')
    expect(await asked(clientId, toMoved)).toBe('invalid_redirect')
    expect(site().visits).toHaveLength(1)

    await age(clientId)
    expect(await asked(clientId, toMoved)).toBe('/oauth/consent')
    expect(await asked(clientId)).toBe('invalid_redirect')
    expect(site().visits).toHaveLength(2)
  })

  it('remains valid for a day while its server is unavailable', async () => {
    const clientId = site().publish()
    expect(await asked(clientId)).toBe('/oauth/consent')
    site().answers[new URL(clientId).pathname] = (request) => request.socket.destroy()
    await age(clientId, { fetched: '23 hours' })
    expect(await asked(clientId)).toBe('/oauth/consent')
    await age(clientId, { fetched: '25 hours' })
    expect(await asked(clientId)).toBe('document_unreachable')
    // Nothing is remembered of that.
    site().replace(clientId, {})
    expect(await asked(clientId)).toBe('/oauth/consent')
  })

  it('is invalid once its server returns another one, even a malformed one', async () => {
    const clientId = site().publish()
    expect(await asked(clientId)).toBe('/oauth/consent')
    await age(clientId)
    site().replace(clientId, { redirect_uris: ['javascript:alert(1)'] })
    expect(await asked(clientId)).toBe('document_redirects')
    delete site().answers[new URL(clientId).pathname]
    expect(await asked(clientId)).toBe('document_invalid')
  })

  it('remains valid for a day while its server rate-limits', async () => {
    const clientId = site().publish()
    expect(await asked(clientId)).toBe('/oauth/consent')
    site().answers[new URL(clientId).pathname] = (_request, response) => void response.writeHead(429).end()
    await age(clientId)
    expect(await asked(clientId)).toBe('/oauth/consent')
  })

  it('is checked when the user decides: a removed redirect URI gets no response', async () => {
    const clientId = site().publish()
    const client = await describedClient(on().webUrl, clientId)
    const page = await open(asker, client.authorizeUrl(on().resource(asker.spaceId)))
    site().replace(clientId, MOVED)
    await age(clientId)
    expect(await asked(clientId, toMoved)).toBe('/oauth/consent')
    for (const allow of [true, false]) {
      const answer = {
        ...(allow && { spaceId: asker.spaceId, scope: 'notion:read' }),
        allow,
        request: page.search.slice(1),
      }
      expect((await asker.post('/api/oauth/consent', answer)).status).toBe(400)
    }
    const { rowCount } = await on().database.query('select from web.oauth_grant where client_id = $1', [clientId])
    expect(rowCount).toBe(0)
  })

  it.each([{ software_id: 'a\u0000b' }, { software_version: 'a\u0000b' }])('is rejected with %j', async (changes) => {
    expect(await asked(site().publish(changes))).toBe('document_invalid')
  })

  it('does not re-enable a disabled client', async () => {
    const clientId = site().publish()
    expect(await asked(clientId)).toBe('/oauth/consent')
    await on().database.query('update web.oauth_client set disabled = true where client_id = $1', [clientId])
    await age(clientId)
    expect(await asked(clientId)).toBe('client_disabled')
  })
})

it('clients without grants are deleted after a day, unless a consent may be pending', async () => {
  const ben = await on().newUser('Ben')
  const [unused, fresh, used] = [site().publish(), site().publish(), site().publish()]
  for (const clientId of [unused, fresh]) {
    const client = await describedClient(on().webUrl, clientId)
    await open(ben, client.authorizeUrl(on().resource()))
  }
  await logIn(ben, await describedClient(on().webUrl, used), on().resource(ben.spaceId))
  await on().database.query(
    `update web.oauth_client set updated_at = now() - interval '25 hours' where client_id <> $1`,
    [fresh],
  )
  for (const clientId of [unused, used]) await age(clientId, { fresh: '2 hours' })
  await sweep(on().database)
  const { rows } = await on().database.query<{ client_id: string }>(
    'select client_id from web.client_document where client_id = any ($1) order by client_id',
    [[unused, fresh, used]],
  )
  expect(rows.map(({ client_id: id }) => id)).toEqual([fresh, used].toSorted())
})

describe('a web app without internet access', () => {
  const offline = authorizationServerScene(trusting)
  const ask = async (clientId: string) => {
    const client = await describedClient(offline().webUrl, clientId)
    const page = await open(offline().ada, client.authorizeUrl(offline().resource()))
    return page.searchParams.get('error') ?? page.pathname
  }
  const isOffered = async () =>
    ((await metadataOf(offline().webUrl)) as { client_id_metadata_document_supported?: boolean })
      .client_id_metadata_document_supported

  it('requires registration once a fetch fails, and accepts documents again after a success', async () => {
    expect(await isOffered()).toBe(true)
    const nowhere = `https://localhost:${await freePort()}/client.json`
    expect(await ask(nowhere)).toBe('document_unreachable')
    expect(await isOffered()).toBe(false)
    const client = await registerClient(offline().webUrl)
    expect((await logIn(offline().ada, client, offline().resource())).access_token).toBeTruthy()

    expect(await ask(site().publish())).toBe('/oauth/consent')
    expect(await isOffered()).toBe(true)
    // Now it is that one server that is away, as long as the database knows of another.
    expect(await ask(nowhere)).toBe('document_unreachable')
    expect(await isOffered()).toBe(true)
    await offline().database.query(`update web.client_document set fetched_at = now() - interval '25 hours'`)
    expect(await ask(nowhere)).toBe('document_unreachable')
    expect(await isOffered()).toBe(false)
  })
})

describe.each<[string, Record<string, string>]>([
  ['an operator who wants no documents', { CLIENT_METADATA_DOCUMENTS: 'false' }],
  ['the demo, which needs no Internet,', { NOTION_GATEWAY_DEMO: '1' }],
])('%s', (_, settings) => {
  const off = authorizationServerScene({ ...trusting, ...settings })

  it('requires registration and fetches nothing', async () => {
    expect(await metadataOf(off().webUrl)).toMatchObject({ client_id_metadata_document_supported: false })
    const client = await describedClient(off().webUrl, site().publish())
    const page = await open(off().ada, client.authorizeUrl(off().resource()))
    expect(page.searchParams.get('error')).toBe('document_not_offered')
    expect(site().visits).toEqual([])
  })
})
