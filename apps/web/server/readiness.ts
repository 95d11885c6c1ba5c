import type { Pool } from 'pg'
import { databaseFailure } from '../lib/database-failure.ts'
import { causeOf, log } from '../lib/log.ts'

/** `GET /readyz`. Pages need the database; without the parts in `degraded` some of them say so, and the rest works. */
export type Readiness =
  | { readonly status: 'ready'; readonly degraded?: readonly string[] }
  | { readonly status: 'not_ready'; readonly detail: string }

export interface ReadinessOptions {
  readonly pool: Pool
  readonly gatewayUrl: string
  /** Whether single sign-on is set up and its provider does not answer. */
  readonly isSingleSignOnSilent: () => boolean
}

const GATEWAY_DEADLINE_MS = 2_000

export function readinessOf({ pool, gatewayUrl, isSingleSignOnSilent }: ReadinessOptions): () => Promise<Readiness> {
  let lastEvent: string | undefined
  const databaseDetail = async (): Promise<string | undefined> => {
    try {
      await pool.query('select 1')
      lastEvent = undefined
      return undefined
    } catch (error) {
      const { event, detail } = databaseFailure(error) ?? {
        event: 'database.unusable',
        detail: 'The database cannot be used.',
      }
      // It is asked every few seconds; the log says once what is wrong.
      if (event !== lastEvent) log.error(event, causeOf(error))
      lastEvent = event
      return detail
    }
  }
  return async () => {
    const [detail, isGatewayReady] = await Promise.all([databaseDetail(), answers(gatewayUrl)])
    if (detail !== undefined) return { status: 'not_ready', detail }
    const degraded = [...(isGatewayReady ? [] : ['gateway']), ...(isSingleSignOnSilent() ? ['single_sign_on'] : [])]
    return { status: 'ready', ...(degraded.length > 0 && { degraded }) }
  }
}

async function answers(gatewayUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${gatewayUrl.replace(/\/$/, '')}/healthz`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(GATEWAY_DEADLINE_MS),
    })
    await answer.body?.cancel()
    return answer.ok
  } catch {
    return false
  }
}
