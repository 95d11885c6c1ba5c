import type { Check } from './context.ts'
import { redisFacts } from './parts.ts'
import { findingsOf } from './report.ts'

const { ok, warning, error, notChecked } = findingsOf('redis')

const OLDEST_MAJOR = 6

/** Checks the version, whether Redis stores values, and its eviction policy. */
export const checkRedis: Check = async ({ installation: { gateway } }) => {
  if ('unknown' in gateway) return [notChecked('Redis', `${gateway.unknown}.`)]
  const { REDIS_URL: url } = gateway.known.config
  if (url === undefined) return [ok('REDIS_URL is not set: pending consents are in the database.')]
  const { host } = new URL(url)
  let facts
  try {
    facts = await redisFacts(url)
  } catch (cause) {
    const { code = 'refused', message } = cause as NodeJS.ErrnoException
    const reason = /^(NOAUTH|WRONGPASS|NOPERM)/.exec(message)?.[1] ?? code
    return [
      error(`Redis at ${host} cannot be used (${reason}), so nobody can connect Notion.`, {
        detail: 'Calls and refreshes continue without it.',
        change: 'REDIS_URL=…',
      }),
    ]
  }
  const { version, evictionPolicy, keepsKeys } = facts
  if (!keepsKeys)
    return [
      error(`Redis at ${host} does not return a value that was just stored.`, { change: 'REDIS_URL=<the primary>' }),
    ]
  if (Number.parseInt(version, 10) < OLDEST_MAJOR)
    return [error(`Redis ${version} is too old; ${OLDEST_MAJOR} or newer is needed.`)]
  return [
    ok(`Redis ${version} stores values.`),
    ...(evictionPolicy === undefined || evictionPolicy === 'noeviction'
      ? []
      : [
          warning(
            'Redis evicts keys when its memory is full: pending consents, and the mark by which a copied database is detected.',
            {
              change: 'maxmemory-policy noeviction',
            },
          ),
        ]),
  ]
}
