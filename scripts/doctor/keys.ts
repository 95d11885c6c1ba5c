import type { Check } from './context.ts'
import type { Opened } from './databases.ts'
import type { Gateway, Known, Web } from './installation.ts'
import { aesVault, Failure, keyId, kidOf, missingKeys, type Pooled, type Replica } from './parts.ts'
import { findingsOf, type Finding } from './report.ts'

const { ok, error, notChecked } = findingsOf('keys')

/** Checks that CREDENTIAL_KEYS open the stored data keys, and AUTH_SECRETS the signing keys. */
export const checkKeys: Check = async ({ installation, databases }) => {
  const { gateway, web } = installation
  return [
    ...('known' in gateway && 'sql' in databases.gateway
      ? await ifThere(databases.gateway.sql, 'gateway.data_keys', 'CREDENTIAL_KEYS', (sql) =>
          credentialKeyFindings(gateway.known, sql),
        )
      : [notChecked('CREDENTIAL_KEYS', reasonOf(gateway, databases.gateway))]),
    ...('known' in web && 'sql' in databases.web
      ? await ifThere(databases.web.sql, 'web.oauth_key', 'AUTH_SECRETS', (sql) => authSecretFindings(web.known, sql))
      : [notChecked('AUTH_SECRETS', reasonOf(web, databases.web))]),
  ]
}

function reasonOf(process: Known<unknown>, database: Opened): string {
  const [reason = 'the database cannot be used'] = [process, database].flatMap((part) =>
    'unknown' in part ? [part.unknown] : [],
  )
  return `${reason}.`
}

async function ifThere(
  sql: Pooled,
  table: string,
  setting: string,
  check: (sql: Pooled) => Promise<Finding[]>,
): Promise<Finding[]> {
  const { rows } = await sql.query<{ there: boolean }>('select to_regclass($1) is not null as there', [table])
  return rows[0]?.there ? check(sql) : [notChecked(setting, 'Nothing is stored yet.')]
}

const BATCH = 1000

async function credentialKeyFindings({ config }: Gateway, sql: Pooled): Promise<Finding[]> {
  const vault = aesVault(config.credentialKeys)
  let stored = 0
  const unreadable = new Map<string, number>()
  for (let last = '00000000-0000-0000-0000-000000000000'; ;) {
    const { rows } = await sql.query<{ stream: string; id: string; kid: string; wrapped: string }>(
      'select stream, id, kid, wrapped from gateway.data_keys where stream > $1 order by stream limit $2',
      [last, BATCH],
    )
    for (const { stream, ...key } of rows) {
      last = stream
      stored++
      if (!opens(() => vault.rewrap(stream, key))) unreadable.set(key.kid, (unreadable.get(key.kid) ?? 0) + 1)
    }
    if (rows.length < BATCH) break
  }
  const { rows: replicas } = await sql.query<Replica>(
    `select keys, sealing from gateway.replicas where seen_at > clock_timestamp() - interval '30 seconds'`,
  )
  const given = config.credentialKeys.map(({ kid }) => kid)
  const lacking = missingKeys(config.credentialKeys.map(keyId), replicas).map(kidOf)
  const count = [...unreadable.values()].reduce((sum, each) => sum + each, 0)
  const kids = [...new Set([...unreadable.keys(), ...lacking])]
  if (kids.length === 0) {
    if (stored > 0) return [ok(`CREDENTIAL_KEYS (${given.join(', ')}) open all of ${stored} stored data keys.`)]
    return [notChecked('CREDENTIAL_KEYS', 'Nothing is stored yet.')]
  }
  return [
    error(
      count > 0
        ? `CREDENTIAL_KEYS (${given.join(', ')}) do not open ${count} of ${stored} stored data keys, so the gateway does not start.`
        : 'Running gateways seal with a key that CREDENTIAL_KEYS lacks, so the gateway does not start.',
      {
        detail: 'A key of the same name may have another value. If it is lost: npm run forget-credentials.',
        change: `CREDENTIAL_KEYS=${[...given.filter((kid) => !kids.includes(kid)), ...kids].map((kid) => `${kid}:…`).join(',')}`,
      },
    ),
  ]
}

function opens(open: () => unknown): boolean {
  try {
    open()
    return true
  } catch (error) {
    if (error instanceof Failure) return false
    throw error
  }
}

async function authSecretFindings({ secrets }: Web, sql: Pooled): Promise<Finding[]> {
  const { opensSigningKey } = await import('./web-parts.ts')
  const { rows } = await sql.query<{ sealed: string }>('select sealed from web.oauth_key where retired_at is null')
  if (rows.length === 0) return [notChecked('AUTH_SECRETS', 'Nothing is stored yet.')]
  const opened = await Promise.all(rows.map(({ sealed }) => opensSigningKey(sealed, secrets)))
  const closed = opened.filter((isOpen) => !isOpen).length
  if (closed === 0) return [ok(`AUTH_SECRETS open all of ${rows.length} keys of the authorization server.`)]
  return [
    error(`AUTH_SECRETS do not open ${closed} of ${rows.length} keys of the authorization server.`, {
      detail:
        'The web app would replace them, and all signed-in users would have to sign in again. List the old secret as well.',
      change: 'AUTH_SECRETS=<new>,<old>',
    }),
  ]
}
