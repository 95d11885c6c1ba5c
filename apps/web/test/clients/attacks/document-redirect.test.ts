/** A redirect would lead past every check of the address that was named, and let whoever can make a host redirect speak for it. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { authorizationServerScene } from '../clients.ts'
import { documentSite, json, trusting } from '../document-site.ts'
import { REDIRECT } from '../client-person.ts'
import { askers } from './askers.ts'

const site = documentSite()
const on = authorizationServerScene(trusting)
const ask = askers(on)

let near: string
const visits: string[] = []
const victim = createServer((request, response) => {
  visits.push(request.url ?? '')
  json({ client_id: `${site().origin}/moved`, redirect_uris: [REDIRECT] })(request, response)
})
beforeAll(async () => {
  victim.listen(0, '127.0.0.1')
  await once(victim, 'listening')
  near = `http://127.0.0.1:${(victim.address() as AddressInfo).port}/document`
})
afterAll(() => {
  victim.closeAllConnections()
  victim.close()
})

it.each([301, 302, 303, 307, 308])('a redirect by %d is not followed', async (status) => {
  const document = json({ client_id: `${site().origin}/moved`, redirect_uris: [REDIRECT] })
  site().answers['/elsewhere'] = document
  for (const location of [near, `${site().origin}/elsewhere`, '/elsewhere']) {
    site().answers['/moved'] = (_request, response) => response.writeHead(status, { location }).end()
    expect(await ask(`${site().origin}/moved`)).toBe('document_invalid')
  }
  expect(site().visits).toEqual(['/moved', '/moved', '/moved'])
  expect(visits).toEqual([])
})

it('the document itself would have been taken', async () => {
  site().answers['/moved'] = json({ client_id: `${site().origin}/moved`, redirect_uris: [REDIRECT] })
  expect(await ask(`${site().origin}/moved`)).toBe('/oauth/consent')
})
