import type { PersonClient } from '@/test/support/person.ts'
import { describedClient, open } from '@/test/clients/client-person.ts'
import type { AuthorizationServerScene } from '@/test/clients/clients.ts'

/** What one person may have asked for within a minute. */
const EACH = 8

/** Sends requests of clients by people who have not asked for much yet, and tells where that ends: the error, or the path of a page. */
export function askers(on: () => AuthorizationServerScene) {
  let person: PersonClient | undefined
  let count = 0
  return async (clientId: string, changes: Record<string, string | null> = {}): Promise<string> => {
    if (count++ % EACH === 0) person = await on().newPerson(`Asker${count}`)
    const client = await describedClient(on().webUrl, clientId)
    const { origin, pathname, searchParams } = await open(
      person ?? on().ada,
      client.authorizeUrl(on().resource(), changes),
    )
    if (![on().webUrl, new URL(client.server.issuer).origin].includes(origin)) return `elsewhere: ${origin}`
    return pathname === '/oauth/error' ? (searchParams.get('error') ?? '') : pathname
  }
}
