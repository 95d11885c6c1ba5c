import 'server-only'
import { SeenClients } from '@nmg/contract'
import { SCHEMA } from '../../lib/database.ts'
import { askGateway } from '../../lib/gateway.ts'
import { memberIn, type Person, type SignedIn } from '../../lib/members.ts'
import { documentHost } from '../../lib/oauth/client-document.ts'
import { notionScopes } from '../../lib/oauth/scopes.ts'
import { runtime } from '../../lib/runtime.ts'
import type { AllowedClient } from './client-lists.ts'

interface Row {
  readonly id: string
  readonly clientId: string
  readonly name: string | null
  readonly spaceId: string
  readonly scopes: string[]
  readonly allowedAt: Date
  readonly refreshedAt: Date | null
}

/** What the person has allowed by logging in from clients, in all of their spaces, the latest first. */
export async function allowedClients(found: SignedIn): Promise<AllowedClient[]> {
  const [{ rows }, calls] = await Promise.all([
    runtime().pool.query<Row>(
      `select consent.id, consent."clientId", client.name, consent."referenceId" as "spaceId", consent.scopes,
              consent."updatedAt" as "allowedAt",
              (select max("createdAt") from ${SCHEMA}."oauthRefreshToken" token
               where token."clientId" = consent."clientId" and token."userId" = consent."userId"
                 and token."referenceId" = consent."referenceId") as "refreshedAt"
       from ${SCHEMA}."oauthConsent" consent join ${SCHEMA}."oauthClient" client on client."clientId" = consent."clientId"
       where consent."userId" = $1
       order by consent."updatedAt" desc`,
      [found.person.id],
    ),
    lastCalls(found),
  ])
  return rows.flatMap(({ id, clientId, name, spaceId, scopes, allowedAt, refreshedAt }): AllowedClient[] => {
    const space = found.spaces.find((one) => one.id === spaceId)
    if (!space) return []
    const usedAt = [calls.get(`${spaceId} ${clientId}`), refreshedAt?.toISOString()]
      .flatMap((at) => at ?? [])
      .toSorted()
    const lastUsedAt = usedAt.at(-1)
    return [
      {
        id,
        name: name ?? 'An MCP client',
        host: documentHost(clientId),
        space: { id: space.id, name: space.name },
        scope: notionScopes(scopes.join(' ')).includes('notion:write') ? 'notion:write' : 'notion:read',
        allowedAt: allowedAt.toISOString(),
        lastUsedAt,
      },
    ]
  })
}

/** When each client last called, as far as the gateway can be asked. */
async function lastCalls(found: SignedIn): Promise<Map<string, string>> {
  const perSpace = await Promise.all(
    found.spaces.map(async ({ id }) => {
      const member = memberIn(found, id)
      const query = new URLSearchParams({ space_id: id, user_id: found.person.id })
      const seen = member && (await askGateway(member, `/access/clients?${query}`, SeenClients).catch(() => null))
      return (seen?.clients ?? []).map(({ clientId, lastSeenAt }) => [`${id} ${clientId}`, lastSeenAt] as const)
    }),
  )
  // Several names of one client: the latest call counts.
  return new Map(perSpace.flat().toSorted(([, one], [, other]) => one.localeCompare(other)))
}

/** Ends what one client may do for the person in one space. What is gone already stays gone. */
export async function endAllowed({ id: userId }: Person, consentId: string): Promise<void> {
  const { pool, endedAccess } = runtime()
  const { rows } = await pool.query<{ spaceId: string; clientId: string }>(
    `select "referenceId" as "spaceId", "clientId" from ${SCHEMA}."oauthConsent" where id::text = $1 and "userId" = $2`,
    [consentId, userId],
  )
  for (const { spaceId, clientId } of rows) await endedAccess.endClient({ spaceId, userId, clientId })
}
