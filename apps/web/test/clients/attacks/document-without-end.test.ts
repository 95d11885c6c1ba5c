/** What stands at an address may be anything, and of any length. None of it may hold up the app, fill its memory, or be believed. */
import { describe, expect, it } from 'vitest'
import { REDIRECT } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'
import { documentSite, trusting, type Answer } from '@/test/clients/document-site.ts'
import { askers } from './askers.ts'

const site = documentSite()
const on = authorizationServerScene(trusting)
const ask = askers(on)

/** A valid document but for how it is served. */
const served =
  (headers: Record<string, string>, { status = 200, before = '' } = {}): Answer =>
  (request, response) => {
    response.writeHead(status, headers)
    response.end(before + JSON.stringify({ client_id: site().origin + request.url, redirect_uris: [REDIRECT] }))
  }
const JSON_TYPE = { 'content-type': 'application/json' }
const endless =
  (filling: string): Answer =>
  (_request, response) => {
    response.writeHead(200, JSON_TYPE)
    const timer = setInterval(() => response.write(filling), 20)
    response.on('close', () => clearInterval(timer))
  }

describe.each<[string, string, Answer]>([
  ['/large', 'is larger than documents are', served(JSON_TYPE, { before: ' '.repeat(17 * 1024) })],
  ['/flood', 'is a flood', endless(' '.repeat(64 * 1024))],
  ['/page', 'is a page', served({ 'content-type': 'text/html' })],
  ['/script', 'is only nearly JSON', served({ 'content-type': 'application/json-seq' })],
  ['/untold', 'does not say what it is', served({})],
  ['/created', 'is the answer to something else', served(JSON_TYPE, { status: 201 })],
  ['/denied', 'is denied', served(JSON_TYPE, { status: 403 })],
  ['/broken', 'is broken', served(JSON_TYPE, { before: '{' })],
])('%s', (path, what, answer) => {
  it(`rejects a document that ${what}`, async () => {
    site().answers[path] = answer
    expect(await ask(site().origin + path)).toBe('document_invalid')
  })
})

it.each(['application/json; charset=utf-8', 'application/oauth-client+json'])(
  '%s is what it should be',
  async (type) => {
    const path = `/${type.length}`
    site().answers[path] = served({ 'content-type': type })
    expect(await ask(site().origin + path)).toBe('/oauth/consent')
  },
)

it('abandons a slow server without delaying others', async () => {
  const slow = { '/silent': () => {}, '/slow': endless(' ') }
  Object.assign(site().answers, slow)
  const begun = performance.now()
  const ends = Promise.all(Object.keys(slow).map((path) => ask(site().origin + path)))
  expect(await ask(site().publish())).toBe('/oauth/consent')
  expect(performance.now() - begun).toBeLessThan(4_000)
  expect(await ends).toEqual(Object.keys(slow).map(() => 'document_unreachable'))
  expect(performance.now() - begun).toBeLessThan(9_000)
})

it('ignores documents with an error status', async () => {
  site().answers['/failing'] = served(JSON_TYPE, { status: 503 })
  expect(await ask(`${site().origin}/failing`)).toBe('document_unreachable')
})

it('rejects a server with an untrusted certificate', async () => {
  // Its certificate is good for localhost.
  const address = site().publish().replace('localhost', '127.0.0.1')
  expect(await ask(address)).toBe('document_unreachable')
  expect(site().visits).toEqual([])
})
