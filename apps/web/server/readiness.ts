import type { Pool } from 'pg'
import { databaseFailure } from '../lib/database-failure.ts'
import { causeOf, log } from '../lib/log.ts'

/** `GET /readyz`. Pages need the database; without the parts in `degraded` some of them say so, and the rest works. */
export type Readiness =
  | { readonly status: 'ready'; readonly degraded?: readonly DegradedPart[] }
  | { readonly status: 'not_ready'; readonly detail: string }

interface DegradedPart {
  readonly part: 'gateway' | 'single_sign_on'
  /** What does not work because of it. */
  readonly detail: string
}

const GATEWAY_IS_AWAY: DegradedPart = {
  part: 'gateway',
  detail:
    'The gateway isn’t responding, so connecting Notion, tools and chat don’t work. Signing in and managing spaces do.',
}

const SINGLE_SIGN_ON_IS_SILENT: DegradedPart = {
  part: 'single_sign_on',
  detail: 'The OpenID provider at OIDC_ISSUER isn’t responding. Users sign in with other methods until it does.',
}

export interface ReadinessOptions {
  readonly pool: Pool
  readonly gatewayUrl: string
  /** True while this process shuts down. */
  readonly isStopping: () => boolean
  /** True if single sign-on is configured and its provider does not respond. */
  readonly isSingleSignOnSilent: () => boolean
}

const GATEWAY_DEADLINE_MS = 2_000

export function readinessOf({
  pool,
  gatewayUrl,
  isStopping,
  isSingleSignOnSilent,
}: ReadinessOptions): () => Promise<Readiness> {
  let lastEvent: string | undefined
  const databaseDetail = async (): Promise<string | undefined> => {
    try {
      await pool.query('select 1')
      lastEvent = undefined
      return undefined
    } catch (error) {
      const { event, detail } = databaseFailure(error) ?? {
        event: 'database.unusable',
        detail: 'The database isn’t usable.',
      }
      // Polled every few seconds, so log each fault once.
      if (event !== lastEvent) log.error(event, causeOf(error))
      lastEvent = event
      return detail
    }
  }
  return async () => {
    if (isStopping()) return { status: 'not_ready', detail: 'The app is stopping.' }
    const [detail, isGatewayReady] = await Promise.all([databaseDetail(), responses(gatewayUrl)])
    if (detail !== undefined) return { status: 'not_ready', detail }
    const degraded = [
      ...(isGatewayReady ? [] : [GATEWAY_IS_AWAY]),
      ...(isSingleSignOnSilent() ? [SINGLE_SIGN_ON_IS_SILENT] : []),
    ]
    return { status: 'ready', ...(degraded.length > 0 && { degraded }) }
  }
}

async function responses(gatewayUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${gatewayUrl.replace(/\/$/, '')}/healthz`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(GATEWAY_DEADLINE_MS),
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}
