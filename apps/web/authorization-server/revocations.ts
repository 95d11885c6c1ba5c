import type { Pool } from 'pg'
import { SCHEMA } from '../lib/database.ts'
import { causeOf, log } from '../lib/log.ts'
import type { Grants } from './grants.ts'

/** Poll interval of the outbox in milliseconds, for rows of other processes, triggers and failed deliveries. */
const POLL_MS = 2_000
/** Time limit of a delivery in milliseconds. */
const DEADLINE_MS = 5_000
const BATCH = 100

export interface RevocationsOptions {
  readonly pool: Pool
  readonly grants: Grants
  readonly gatewayUrl: string
  readonly serviceToken: string
}

export interface Revocations {
  /** Delivers the outbox. Never throws; failed deliveries are retried. */
  deliverNow(): Promise<void>
  stop(): void
}

interface Row {
  readonly id: string
  readonly space_id: string
  readonly user_id: string
  readonly client_id: string | null
  readonly grant_id: string | null
}

/**
 * Delivers revocations to the gateway, at least once each: whatever ends access writes a row in the same transaction, and the row is deleted
 * when the gateway has confirmed. Until then no new tokens are issued, and access tokens expire within minutes.
 */
export function revocationOutbox({ pool, grants, gatewayUrl, serviceToken }: RevocationsOptions): Revocations {
  let delivery: Promise<void> | undefined
  let isWanted = false
  let wasReached = true

  const tell = async ({ space_id: spaceId, user_id: userId, client_id: clientId, grant_id: grantId }: Row) => {
    const response = await fetch(`${gatewayUrl.replace(/\/$/, '')}/access/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
      // A gateway of the release before does not know grants, and ends all that the client has.
      body: JSON.stringify({
        spaceId,
        userId,
        ...(clientId !== null && { clientId }),
        ...(grantId !== null && { grantId }),
      }),
      redirect: 'error',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`the gateway answered ${response.status}`)
  }

  const deliverAll = async () => {
    const { rows } = await pool.query<Row>(
      `select id, space_id, user_id, client_id, grant_id from ${SCHEMA}.ended_access order by id limit ${BATCH}`,
    )
    // Before the gateway is asked: these end also while it is away.
    for (const row of rows) if (row.client_id === null) await grants.deleteOf(row.id)
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
        if (wasReached) log.warn('revocations.not_delivered', causeOf(error))
        wasReached = false
        return
      }
    } while (isWanted)
  }

  const deliver = () => {
    // A delivery under way may have read the outbox before the row was written that this call is about.
    isWanted = true
    delivery ??= run().finally(() => {
      delivery = undefined
    })
    return delivery
  }
  const polling = setInterval(() => void deliver(), POLL_MS)
  polling.unref()

  return { deliverNow: deliver, stop: () => clearInterval(polling) }
}
