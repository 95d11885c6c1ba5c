import 'server-only'
import { documentHost } from '@/authorization-server/client-document.ts'
import { notionScopes } from '@/authorization-server/scopes.ts'
import type { User, SignedIn } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { browserName } from './browser-name.ts'
import type { AllowedClient } from './client-lists.ts'

/** The user's grants in all spaces, latest first. */
export async function allowedClients(
  app: App<'authorizationServer'>,
  { user, spaces }: SignedIn,
): Promise<AllowedClient[]> {
  const grants = await app.authorizationServer.grants(user.id)
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

/** Revokes one grant, or all grants of the user. Idempotent. */
export const revokeGrants = (
  app: App<'authorizationServer'>,
  { id }: User,
  which: { readonly grantId: string } | 'all',
): Promise<void> => app.authorizationServer.revoke(id, which)
