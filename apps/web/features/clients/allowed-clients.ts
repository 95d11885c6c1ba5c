import 'server-only'
import { documentHost } from '@/authorization-server/client-document.ts'
import { notionScopes } from '@/authorization-server/scopes.ts'
import type { Person, SignedIn } from '@/lib/members.ts'
import { runtime } from '@/lib/runtime.ts'
import { browserName } from './browser-name.ts'
import type { AllowedClient } from './client-lists.ts'

/** The logins of clients that the person has allowed, in all of their spaces, the latest first. */
export async function allowedClients({ person, spaces }: SignedIn): Promise<AllowedClient[]> {
  const grants = await runtime().authorizationServer.grants(person.id)
  return grants.flatMap(({ id, clientId, clientName, spaceId, scope, userAgent, createdAt, lastUsedAt }) => {
    const space = spaces.find((one) => one.id === spaceId)
    if (!space) return []
    return [
      {
        id,
        name: clientName,
        host: documentHost(clientId),
        space: { id: space.id, name: space.name },
        scope: notionScopes(scope).includes('notion:write') ? 'notion:write' : 'notion:read',
        browser: browserName(userAgent),
        allowedAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt?.toISOString(),
      } satisfies AllowedClient,
    ]
  })
}

/** Ends one login of a client, or all of the person's. What has ended already stays ended. */
export const endAllowed = ({ id }: Person, which: { readonly grantId: string } | 'all'): Promise<void> =>
  runtime().authorizationServer.revoke(id, which)
