/** Whoever can have the app ask other servers for something must not be able to do it often, or make it count for more than it is. */
import { expect, it } from 'vitest'
import { describedClient, open } from '../client-person.ts'
import { authorizationServerScene } from '../clients.ts'
import { documentSite, trusting } from '../document-site.ts'

const site = documentSite()
const on = authorizationServerScene(trusting)
const urlOf = async (clientId: string) => (await describedClient(on().webUrl, clientId)).authorizeUrl(on().resource())
const endOf = ({ pathname, searchParams }: URL) => searchParams.get('error') ?? pathname

it('nobody who is not signed in can have anything asked for', async () => {
  for (let count = 0; count < 5; count++) {
    const answer = await fetch(await urlOf(site().publish()), { redirect: 'manual' })
    expect(new URL(answer.headers.get('location') ?? '').pathname).toBe('/sign-in')
  }
  expect(site().visits).toEqual([])
})

it('many requests of one client at once ask for its document once', async () => {
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

it('one person has ten documents asked for within a minute, and the others have theirs', async () => {
  const ben = await on().newPerson('Ben')
  // Of so many some are too many, even if a new minute begins meanwhile.
  const urls = await Promise.all(Array.from({ length: 21 }, () => urlOf(site().publish())))
  const ends: string[] = []
  for (const url of urls) ends.push(endOf(await open(ben, url)))
  expect(ends.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => '/oauth/consent'))
  expect(ends.slice(10)).toContain('document_later')
  expect(site().visits).toHaveLength(ends.filter((end) => end === '/oauth/consent').length)
  // What is known already does not count, and neither does what somebody else does.
  expect(endOf(await open(ben, urls[0] ?? ''))).toBe('/oauth/consent')
  expect(endOf(await open(await on().newPerson('Cleo'), await urlOf(site().publish())))).toBe('/oauth/consent')
})

it('no more than sixteen are under way at once, whoever began them', async () => {
  const people = [await on().newPerson('Dora'), await on().newPerson('Eli')]
  const held: (() => void)[] = []
  const urls = await Promise.all(
    people.flatMap((person) =>
      Array.from({ length: 9 }, async () => {
        const clientId = site().publish()
        const { pathname } = new URL(clientId)
        const usual = site().answers[pathname]
        site().answers[pathname] = (request, response) => void held.push(() => usual?.(request, response))
        return { person, url: await urlOf(clientId) }
      }),
    ),
  )
  const ends = Promise.all(urls.map(async ({ person, url }) => endOf(await open(person, url))))
  await expect.poll(() => held.length).toBe(16)
  const late = await Promise.race([ends, new Promise((resolve) => setTimeout(resolve, 300, 'waiting'))])
  expect(late).toBe('waiting')
  for (const answer of held) answer()
  const all = await ends
  expect(all.filter((end) => end === '/oauth/consent')).toHaveLength(16)
  expect(all.filter((end) => end === 'document_later')).toHaveLength(2)
  expect(site().visits).toHaveLength(16)
})
