/** A redirect would lead past every check of the address that was named, and let whoever can make a host redirect speak for it. */
import { victim, type Victim } from '@nmg/process/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { authorizationServerScene } from '@/test/clients/clients.ts'
import { documentSite, json, trusting } from '@/test/clients/document-site.ts'
import { REDIRECT } from '@/test/clients/client-user.ts'
import { askers } from './askers.ts'

const site = documentSite()
const on = authorizationServerScene(trusting)
const ask = askers(on)

const document = () => json({ client_id: `${site().origin}/moved`, redirect_uris: [REDIRECT] })
let near: Victim
beforeAll(async () => {
  near = await victim((request, response) => document()(request, response))
})
afterAll(() => near.close())

it.each([301, 302, 303, 307, 308])('does not follow a redirect with %d', async (status) => {
  site().answers['/elsewhere'] = document()
  for (const location of [`http://127.0.0.1:${near.port}/document`, `${site().origin}/elsewhere`, '/elsewhere']) {
    site().answers['/moved'] = (_request, response) => response.writeHead(status, { location }).end()
    expect(await ask(`${site().origin}/moved`)).toBe('document_invalid')
  }
  expect(site().visits).toEqual(['/moved', '/moved', '/moved'])
  expect(near.visits).toEqual([])
})

it('accepts the same document without a redirect', async () => {
  site().answers['/moved'] = document()
  expect(await ask(`${site().origin}/moved`)).toBe('/oauth/consent')
})
