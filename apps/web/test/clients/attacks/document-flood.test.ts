/** Whoever can have the app ask other servers for something must not be able to do it often, or make it count for more than it is. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { describedClient, open } from '@/test/clients/client-user.ts'
import { authorizationServerScene } from '@/test/clients/clients.ts'
import { documentSite, trusting } from '@/test/clients/document-site.ts'

const site = documentSite()
const on = authorizationServerScene(trusting)
const urlOf = async (clientId: string) => (await describedClient(on().webUrl, clientId)).authorizeUrl(on().resource())
const endOf = ({ pathname, searchParams }: URL) => searchParams.get('error') ?? pathname

it('requests without a session fetch nothing', async () => {
  for (let count = 0; count < 5; count++) {
    const answer = await fetch(await urlOf(site().publish()), { redirect: 'manual' })
    expect(new URL(answer.headers.get('location') ?? '').pathname).toBe('/sign-in')
  }
  expect(site().visits).toEqual([])
})

it('concurrent requests of one client fetch its document once', async () => {
  const clientId = site().publish()
  const path = new URL(clientId).pathname
  const usual = site().answers[path]
  // Long enough for all of them to come.
  site().answers[path] = (request, response) => void setTimeout(() => usual?.(request, response), 500)
  const url = await urlOf(clientId)
  const ends = await Promise.all(Array.from({ length: 12 }, () => open(on().ada, url)))
  expect(new Set(ends.map(endOf))).toEqual(new Set(['/oauth/consent']))
  expect(site().visits).toHaveLength(1)
})

it('one user may cause ten fetches per minute without affecting others', async () => {
  const ben = await on().newUser('Ben')
  const urls = await Promise.all(Array.from({ length: 12 }, () => urlOf(site().publish())))
  const ends: string[] = []
  for (const url of urls) ends.push(endOf(await open(ben, url)))
  expect(ends.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => '/oauth/consent'))
  expect(ends.slice(10)).toEqual(['document_later', 'document_later'])
  expect(site().visits).toHaveLength(ends.filter((end) => end === '/oauth/consent').length)
  // What is known already does not count, and neither does what somebody else does.
  expect(endOf(await open(ben, urls[0] ?? ''))).toBe('/oauth/consent')
  expect(endOf(await open(await on().newUser('Cleo'), await urlOf(site().publish())))).toBe('/oauth/consent')
})

it('one user may cause three concurrent fetches without affecting others', async () => {
  const dora = await on().newUser('Dora')
  const held: (() => void)[] = []
  const slow = async () => {
    const clientId = site().publish()
    const { pathname } = new URL(clientId)
    const usual = site().answers[pathname]
    site().answers[pathname] = (request, response) => void held.push(() => usual?.(request, response))
    return urlOf(clientId)
  }
  const waiting = [await slow(), await slow(), await slow()].map(async (url) => endOf(await open(dora, url)))
  await expect.poll(() => held.length).toBe(3)
  expect(endOf(await open(dora, await urlOf(site().publish())))).toBe('document_later')
  expect(endOf(await open(await on().newUser('Eli'), await urlOf(site().publish())))).toBe('/oauth/consent')
  for (const answer of held) answer()
  expect(await Promise.all(waiting)).toEqual(Array.from({ length: 3 }, () => '/oauth/consent'))
  expect(endOf(await open(dora, await urlOf(site().publish())))).toBe('/oauth/consent')
})

it.each<[string, Record<string, string>]>([
  ['an image on a page', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
  ['a prefetch', { 'sec-fetch-mode': 'navigate', 'sec-purpose': 'prefetch' }],
])('%s fetches nothing', async (_, headers) => {
  const cookie = [...on().ada.cookies()].map((pair) => pair.join('=')).join('; ')
  // Not by fetch, which says for itself what it is.
  const asking = get(await urlOf(site().publish()), { headers: { ...headers, cookie } })
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  answer.resume()
  expect(answer.headers.location).toContain('error=invalid_request')
  expect(site().visits).toEqual([])
})

it.each(['client_id', 'redirect_uri', 'response_type', 'code_challenge', 'code_challenge_method'])(
  'a request that says %s twice has nothing asked for',
  async (name) => {
    const url = new URL(await urlOf(site().publish()))
    url.searchParams.append(name, url.searchParams.get(name) ?? '')
    expect(endOf(await open(on().ada, url.href))).toBe('invalid_request')
    expect(site().visits).toEqual([])
  },
)
