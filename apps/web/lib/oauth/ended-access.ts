import type { Pool } from 'pg'
import { SCHEMA } from '../database.ts'
import { causeOf, log } from '../log.ts'

/** How often is looked for what could not be told, and for what ended without anybody saying so here. */
const ROUND_MS = 2_000
/** How long whoever ends access waits for the gateway to know. */
const DEADLINE_MS = 5_000
const BATCH = 100

export interface EndedAccessOptions {
  readonly pool: Pool
  readonly gatewayUrl: string
  readonly serviceToken: string
}

export interface EndedAccess {
  /** Ends what one client may do for a person in a space: no more refreshes, and what tokens it has, the gateway refuses. */
  endClient(client: { spaceId: string; userId: string; clientId: string }): Promise<void>
  /** Tells the gateway what it does not know yet. Never throws: what could not be told is told again. */
  deliverNow(): Promise<void>
  stop(): void
}

interface Row {
  readonly id: string
  readonly space_id: string
  readonly user_id: string
  readonly client_id: string | null
}

/**
 * Sees to it that the gateway hears of access that ended. What ends it writes a row in the same transaction; the row goes when the gateway
 * has confirmed. Until then new tokens are refused here already, and the ones that are out end within minutes.
 */
export function endedAccess({ pool, gatewayUrl, serviceToken }: EndedAccessOptions): EndedAccess {
  let round: Promise<void> | undefined
  let isWanted = false
  let wasReached = true

  const tell = async ({ space_id: spaceId, user_id: userId, client_id: clientId }: Row) => {
    const answer = await fetch(`${gatewayUrl.replace(/\/$/, '')}/access/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ spaceId, userId, ...(clientId !== null && { clientId }) }),
      redirect: 'error',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`)
  }

  const deliverAll = async () => {
    const { rows } = await pool.query<Row>(
      `select id, space_id, user_id, client_id from ${SCHEMA}.ended_access order by id limit ${BATCH}`,
    )
    for (const row of rows) {
      await tell(row)
      await pool.query(`delete from ${SCHEMA}.ended_access where id = $1`, [row.id])
    }
    if (rows.length === BATCH) isWanted = true
  }

  const run = async () => {
    do {
      isWanted = false
      try {
        await deliverAll()
        wasReached = true
      } catch (error) {
        if (wasReached) log.warn('ended_access.not_told', causeOf(error))
        wasReached = false
        return
      }
    } while (isWanted)
  }

  const deliver = () => {
    // A round that is under way may have read before what brings us here was written.
    isWanted = true
    round ??= run().finally(() => {
      round = undefined
    })
    return round
  }
  const rounds = setInterval(() => void deliver(), ROUND_MS)
  rounds.unref()

  return {
    async endClient({ spaceId, userId, clientId }) {
      const whose = [spaceId, userId, clientId]
      await inTransaction(pool, async (query) => {
        for (const table of ['oauthRefreshToken', 'oauthConsent']) {
          await query(
            `delete from ${SCHEMA}."${table}" where "referenceId" = $1 and "userId"::text = $2 and "clientId" = $3`,
            whose,
          )
        }
        await query(`insert into ${SCHEMA}.ended_access (space_id, user_id, client_id) values ($1, $2, $3)`, whose)
      })
      await deliver()
    },
    deliverNow: deliver,
    stop: () => clearInterval(rounds),
  }
}

type Query = (sql: string, values: string[]) => Promise<unknown>

async function inTransaction(pool: Pool, work: (query: Query) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await work((sql, values) => client.query(sql, values))
    await client.query('commit')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
}
