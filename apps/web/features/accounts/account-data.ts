import 'server-only'
import { z } from 'zod'
import { SCHEMA } from '@/lib/database.ts'
import type { SignedIn } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { deviceOf } from './device.ts'

/** A session, as the account page shows it. */
export interface AccountSession {
  readonly id: string
  readonly device: string
  readonly address: string | undefined
  readonly since: string
  readonly isThis: boolean
}

export async function sessionsOf(app: App<'pool'>, { user, sessionId }: SignedIn): Promise<AccountSession[]> {
  const { rows } = await app.pool.query<{
    id: string
    userAgent: string | null
    ipAddress: string | null
    createdAt: Date
  }>(
    `select id, "userAgent", "ipAddress", "createdAt"
     from ${SCHEMA}.session where "userId" = $1 and "expiresAt" > now()
     order by (id = $2) desc, "updatedAt" desc`,
    [user.id, sessionId],
  )
  return rows.map((row) => ({
    id: row.id,
    device: deviceOf(row.userAgent ?? ''),
    address: row.ipAddress || undefined,
    since: row.createdAt.toISOString(),
    isThis: row.id === sessionId,
  }))
}

/** Revokes one of the user's sessions; without `id`, all except the current one. Idempotent. */
export async function endSessions(app: App<'pool'>, { user, sessionId }: SignedIn, id?: string): Promise<void> {
  if (id !== undefined && !z.uuid().safeParse(id).success) return
  await app.pool.query(
    `delete from ${SCHEMA}.session where "userId" = $1 and (id = $2 or ($2::uuid is null and id <> $3))`,
    [user.id, id ?? null, sessionId],
  )
}

/** The user's sign-in methods: provider ids, and `credential` for the password. */
export async function waysOf(app: App<'pool'>, { user }: SignedIn): Promise<ReadonlySet<string>> {
  const { rows } = await app.pool.query<{ providerId: string }>(
    `select "providerId" from ${SCHEMA}.account where "userId" = $1`,
    [user.id],
  )
  return new Set(rows.map((row) => row.providerId))
}
