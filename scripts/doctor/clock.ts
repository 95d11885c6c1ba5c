import type { Check } from './context.ts'
import { TOKEN_CLOCK_TOLERANCE_SECONDS, type Pooled } from './parts.ts'
import { findingsOf, type Finding } from './report.ts'

const { ok, warning, error, notChecked } = findingsOf('clock')

/** The offset of this machine's clock from the database's, by which every gateway measures deadlines. */
export const checkClock: Check = async ({ databases: { gateway, web }, now }) => {
  const database = 'sql' in gateway ? gateway : web
  if (!('sql' in database)) return [notChecked('The clock', 'No database is available for comparison.')]
  if (database.embedded) return [ok('The embedded database has the clock of this machine.')]
  return [judgeOffset(await offsetFrom(database.sql, now))]
}

const READINGS = 3

/** Milliseconds by which this machine is ahead, from the fastest of several readings. */
async function offsetFrom(sql: Pooled, now: () => number): Promise<number> {
  let best = { tookMs: Infinity, offsetMs: 0 }
  for (let reading = 0; reading < READINGS; reading++) {
    const askedAt = now()
    const { rows } = await sql.query<{ ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
    )
    const answeredAt = now()
    const tookMs = answeredAt - askedAt
    if (tookMs < best.tookMs) best = { tookMs, offsetMs: (askedAt + answeredAt) / 2 - (rows[0]?.ms ?? Number.NaN) }
  }
  return best.offsetMs
}

const NOTABLE_MS = 2_000

export function judgeOffset(offsetMs: number): Finding {
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1)
  const direction = offsetMs > 0 ? 'ahead of' : 'behind'
  if (Math.abs(offsetMs) < NOTABLE_MS) return ok(`The clock is within ${NOTABLE_MS / 1000} seconds of the database’s.`)
  const details = {
    detail: `The web app dates access tokens by its machine’s clock, and gateways judge them by the database’s; ${TOKEN_CLOCK_TOLERANCE_SECONDS} seconds of difference are tolerated.`,
    change: 'timedatectl set-ntp true   # on this machine and on the database’s',
  }
  const title = `This machine’s clock is ${seconds} seconds ${direction} the database’s.`
  return Math.abs(offsetMs) > TOKEN_CLOCK_TOLERANCE_SECONDS * 1000 ? error(title, details) : warning(title, details)
}
