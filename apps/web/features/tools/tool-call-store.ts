import 'server-only'
import { z } from 'zod'
import { SCHEMA } from '@/lib/database.ts'
import type { SpaceMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { CallOutcome, type PastCall } from './past-call.ts'

/** Number of calls kept per user and space. */
const KEPT = 50

export const NewCall = z.object({
  tool: z.string().min(1).max(200),
  arguments: z.record(z.string(), z.unknown()),
  outcome: CallOutcome,
  tookMs: z.number().int().min(0).max(3_600_000),
})

/** The user's own last calls in this space, newest first. */
export async function lastCalls(app: App<'pool'>, { space, user }: SpaceMember): Promise<PastCall[]> {
  const { rows } = await app.pool.query<Omit<PastCall, 'calledAt'> & { calledAt: Date }>(
    `select id, tool, arguments, outcome, took_ms as "tookMs", called_at as "calledAt" from ${SCHEMA}.tool_call
     where space_id = $1 and person_id = $2 order by called_at desc, id desc limit 20`,
    [space.id, user.id],
  )
  return rows.map((row) => ({ ...row, calledAt: row.calledAt.toISOString() }))
}

export async function storeCall(
  app: App<'pool'>,
  { space, user }: SpaceMember,
  call: z.infer<typeof NewCall>,
): Promise<void> {
  const { pool } = app
  await pool.query(
    `insert into ${SCHEMA}.tool_call (id, space_id, person_id, tool, arguments, outcome, took_ms)
     values ($1, $2, $3, $4, $5::jsonb, $6, $7)`,
    [
      crypto.randomUUID(),
      space.id,
      user.id,
      call.tool,
      // PostgreSQL's JSON cannot contain NUL.
      JSON.stringify(call.arguments).replaceAll('\\u0000', ''),
      call.outcome,
      call.tookMs,
    ],
  )
  await pool.query(
    `delete from ${SCHEMA}.tool_call where space_id = $1 and person_id = $2 and id in (
       select id from ${SCHEMA}.tool_call where space_id = $1 and person_id = $2
       order by called_at desc, id desc offset ${KEPT})`,
    [space.id, user.id],
  )
}

export async function deleteCalls(app: App<'pool'>, { space, user }: SpaceMember): Promise<void> {
  await app.pool.query(`delete from ${SCHEMA}.tool_call where space_id = $1 and person_id = $2`, [space.id, user.id])
}
