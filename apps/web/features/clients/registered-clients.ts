import 'server-only'
import { SCHEMA } from '../../lib/database.ts'
import { runtime } from '../../lib/runtime.ts'

export interface RegisteredClient {
  /** What the client calls itself: anybody can choose any name. */
  readonly name: string
  readonly redirectUris: readonly string[]
}

export async function registeredClient(clientId: string): Promise<RegisteredClient | undefined> {
  const { rows } = await runtime().pool.query<{ name: string | null; redirectUris: string[] }>(
    `select name, "redirectUris" from ${SCHEMA}."oauthClient" where "clientId" = $1 and disabled is not true`,
    [clientId],
  )
  const [row] = rows
  return row && { name: row.name ?? 'An MCP client', redirectUris: row.redirectUris }
}
