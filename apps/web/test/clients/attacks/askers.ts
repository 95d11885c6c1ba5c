import type { UserClient } from '@/test/support/user.ts'
import { describedClient, open } from '@/test/clients/client-user.ts'
import type { AuthorizationServerScene } from '@/test/clients/clients.ts'

/** What one user may have asked for within a minute. */
const EACH = 8

/** Sends requests of clients by people who have not asked for much yet, and tells where that ends: the error, or the path of a page. */
export function askers(on: () => AuthorizationServerScene) {
  let user: UserClient | undefined
  let count = 0
  return async (clientId: string, changes: Record<string, string | null> = {}): Promise<string> => {
    if (count++ % EACH === 0) user = await on().newUser(`Asker${count}`)
    const client = await describedClient(on().webUrl, clientId)
    const { origin, pathname, searchParams } = await open(
      user ?? on().ada,
      client.authorizeUrl(on().resource(), changes),
    )
    if (![on().webUrl, new URL(client.server.issuer).origin].includes(origin)) return `elsewhere: ${origin}`
    return pathname === '/oauth/error' ? (searchParams.get('error') ?? '') : pathname
  }
}
