import { Failure } from '../platform/failure.ts'
import type { RegistrationLimit } from './authorization-requests.ts'
import type { Sql } from '../platform/database.ts'

/** Maximum registrations of one connection within {@link WINDOW_SECONDS}. */
const MAX_REGISTRATIONS = 10
const WINDOW_SECONDS = 3600

/** The times of the last hour, oldest first. Times in the future were written by a wrong clock and do not count. */
const recent = (table: string, seconds = '$3') =>
  `array(select at from unnest(${table}.made) at
          where at > clock_timestamp() - make_interval(secs => ${seconds}) and at <= clock_timestamp() + interval '1 minute' order by at)`

export function postgresRegistrationLimit(sql: Sql): RegistrationLimit {
  return {
    async consume(stream) {
      // On conflict the row is locked and current, so concurrent registrations count each other.
      const { rowCount } = await sql.query(
        `insert into gateway.registration_counts as held (stream, made) values ($1, array[clock_timestamp()])
         on conflict (stream) do update set made = ${recent('held')} || clock_timestamp()
          where cardinality(${recent('held')}) < $2`,
        [stream, MAX_REGISTRATIONS, WINDOW_SECONDS],
      )
      if (rowCount === 1) return
      const { rows } = await sql.query<{ wait_seconds: number }>(
        `select ceil(extract(epoch from made[1] - clock_timestamp()) + $2)::int as wait_seconds
           from (select ${recent('held', '$2')} as made from gateway.registration_counts held where stream = $1) recent`,
        [stream, WINDOW_SECONDS],
      )
      throw new Failure(
        'rate_limited',
        `Connecting Notion was started ${MAX_REGISTRATIONS} times for this space within an hour. Finish one of these attempts, or try again later.`,
        { retryAfterSeconds: Math.max(1, rows[0]?.wait_seconds ?? 1) },
      )
    },
    async refund(stream) {
      await sql.query(
        `update gateway.registration_counts set made = trim_array(made, 1) where stream = $1 and cardinality(made) > 0`,
        [stream],
      )
    },
  }
}

export async function sweepRegistrationCounts(sql: Sql): Promise<void> {
  await sql.query(
    `delete from gateway.registration_counts where not exists (
       select 1 from unnest(made) as at where at > now() - make_interval(secs => $1))`,
    [WINDOW_SECONDS],
  )
}
