import { Hold } from '@nmg/contract'
import { z } from 'zod'
import type { Pool, PoolClient } from 'pg'
import { SCHEMA } from '../lib/database.ts'
import { causeOf, log } from '../lib/log.ts'
import { hasNoMember } from '../lib/membership.ts'

/** A space is disconnected when it was without any member for so long. */
const ABANDONED_DAYS = 30

/** Most disconnects per 24 hours. A large number at once suggests a fault, and the limit leaves time to notice it. */
const MOST_A_DAY = 10

const DEADLINE_MS = 40_000
const DAY_MS = 86_400_000

/** Any number that no other program on this database takes as an advisory lock. */
const LOCK = 6_274_519_386

/** Actor of the disconnect in the connection's history. */
const ACTOR = 'system:abandoned-space'

export interface AbandonedSpacesOptions {
  readonly pool: Pool
  readonly gatewayUrl: string
  readonly serviceToken: string
}

/**
 * Ends the connections of spaces that nobody belongs to any more: nobody could use or disconnect them, and they would be renewed for as long as
 * the gateway runs. Each call of the result is one round.
 */
export function abandonedSpaces({ pool, gatewayUrl, serviceToken }: AbandonedSpacesOptions): () => Promise<void> {
  const gateway = gatewayUrl.replace(/\/$/, '')
  let alertedAt = -Infinity

  const disconnect = async (spaceId: string): Promise<void> => {
    const response = await fetch(`${gateway}/integrations/notion/${spaceId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${serviceToken}`, 'x-user-id': ACTOR },
      redirect: 'error',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    await response.body?.cancel()
    // 404: it never had a connection.
    if (!response.ok && response.status !== 404) throw new Error(`the gateway answered ${response.status}`)
  }

  const round = async (client: PoolClient): Promise<void> => {
    await note(client)
    const due = await dueSpaces(client)
    if (due.length === 0) return
    const room = MOST_A_DAY - (await disconnectedToday(client))
    if (due.length > room && Date.now() - alertedAt > DAY_MS) {
      alertedAt = Date.now()
      log.error('abandoned_spaces.too_many', { due: due.length, mostADay: MOST_A_DAY })
    }
    if (room <= 0 || (await isInHold(gateway))) return
    for (const spaceId of due.slice(0, room)) {
      try {
        await disconnect(spaceId)
      } catch (error) {
        log.warn('abandoned_space.not_disconnected', { spaceId, ...causeOf(error) })
        return
      }
      await client.query(`update ${SCHEMA}.abandoned_space set disconnected_at = now() where space_id = $1`, [spaceId])
      log.info('abandoned_space.disconnected', { spaceId })
    }
  }
  return () => unlessAnotherProcessDoes(pool, round)
}

/** Notes spaces without members, and forgets those that have one again. */
async function note(client: PoolClient): Promise<void> {
  await client.query(`delete from ${SCHEMA}.abandoned_space noted where not (${hasNoMember('noted.space_id')})`)
  await client.query(
    `insert into ${SCHEMA}.abandoned_space (space_id)
     select id from ${SCHEMA}.organization space where ${hasNoMember('space.id')}
     on conflict (space_id) do nothing`,
  )
}

async function dueSpaces(client: PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select space_id as id from ${SCHEMA}.abandoned_space
     where disconnected_at is null and since < now() - interval '${ABANDONED_DAYS} days' order by since`,
  )
  return rows.map(({ id }) => id)
}

async function disconnectedToday(client: PoolClient): Promise<number> {
  const { rowCount } = await client.query(
    `select from ${SCHEMA}.abandoned_space where disconnected_at > now() - interval '1 day'`,
  )
  return rowCount ?? 0
}

/** `GET /readyz` of a gateway in hold. */
const InHold = z.object({ hold: Hold })

/** True if the gateway runs on a copy of another installation's data, whose grants must not be revoked. */
async function isInHold(gateway: string): Promise<boolean> {
  const response = await fetch(`${gateway}/readyz`, { redirect: 'error', signal: AbortSignal.timeout(DEADLINE_MS) })
  return InHold.safeParse(await response.json().catch(() => undefined)).success
}

async function unlessAnotherProcessDoes(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query<{ isMine: boolean }>('select pg_try_advisory_lock($1) as "isMine"', [LOCK])
    if (!rows[0]?.isMine) return
    try {
      await work(client)
    } finally {
      await client.query('select pg_advisory_unlock($1)', [LOCK])
    }
  } finally {
    client.release()
  }
}
