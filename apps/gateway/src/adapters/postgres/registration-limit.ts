import { Failure } from '../../failure.ts'
import type { RegistrationLimit } from '../../ports.ts'
import type { Sql } from './database.ts'

/** Registrations of one connection within {@link WINDOW_SECONDS}. */
const MOST_REGISTRATIONS = 10
const WINDOW_SECONDS = 3600

export function postgresRegistrationLimit(sql: Sql): RegistrationLimit {
  return {
    async count(stream) {
      // Moments that lie ahead were written before the clock was corrected; they do not count.
      const { rows } = await sql.query<{ counted: boolean; wait_seconds: number }>(
        `with recent as (
           select coalesce(array_agg(at order by at), '{}') as made
             from (select unnest(made) as at from gateway.registration_counts where stream = $1) m
            where at > now() - make_interval(secs => $3) and at <= now()
         ), counted as (
           insert into gateway.registration_counts (stream, made)
           select $1, array[now()] from recent where cardinality(made) < $2
           on conflict (stream) do update set made = (select made from recent) || now()
           returning stream
         )
         select exists (select 1 from counted) as counted,
                coalesce(ceil(extract(epoch from made[1] + make_interval(secs => $3) - now())), 0)::int as wait_seconds
           from recent`,
        [stream, MOST_REGISTRATIONS, WINDOW_SECONDS],
      )
      const [row] = rows
      if (row?.counted === false) {
        throw new Failure(
          'rate_limited',
          `Connecting Notion was begun ${MOST_REGISTRATIONS} times for this space within an hour. Finish one of them, or try again later.`,
          { retryAfterSeconds: Math.max(1, row.wait_seconds) },
        )
      }
    },
    async uncount(stream) {
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
