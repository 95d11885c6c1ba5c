import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Check } from './context.ts'
import type { Opened } from './databases.ts'
import type { Installation } from './installation.ts'
import { DATABASE_RELEASE, openSession, repositoryRoot, type Pooled } from './parts.ts'
import { findingsOf, type Finding } from './report.ts'

const { ok, warning, error, notChecked } = findingsOf('database')

/** Checks version, schema, session state, connections, and whether the gateway holds its tokens. */
export const checkDatabase: Check = async ({ installation, databases, gateways, webs }) => {
  const findings: Finding[] = []
  for (const [name, opened] of [
    ['gateway', databases.gateway],
    ['web app', databases.web],
  ] as const) {
    if ('unknown' in opened) findings.push(notChecked(`The database of the ${name}`, `${opened.unknown}.`))
    else if ('refused' in opened) findings.push(error(opened.refused, { change: 'DATABASE_URL=…' }))
    else findings.push(...(await schemaFindings(name, opened.sql)))
  }
  const { gateway, web } = databases
  if ('sql' in gateway) {
    findings.push(...(await serverFindings(gateway)), ...(await holdFindings(gateway.sql)))
  } else if ('sql' in web) findings.push(...(await serverFindings(web)))
  findings.push(...(await connectionFindings({ installation, gateway, web, gateways, webs })))
  return findings
}

const SCHEMAS = {
  gateway: { schema: 'gateway', folder: 'apps/gateway/src/platform/migrations' },
  'web app': { schema: 'web', folder: 'apps/web/migrations' },
} as const

async function schemaFindings(name: keyof typeof SCHEMAS, sql: Pooled): Promise<Finding[]> {
  const { schema, folder } = SCHEMAS[name]
  const { rows: state } = await sql.query<{ there: boolean; may_create: boolean; database: string; role: string }>(
    `select to_regclass($1) is not null as there, has_database_privilege(current_database(), 'CREATE') as may_create,
            current_database() as database, current_user as role`,
    [`${schema}.migrations`],
  )
  const [found] = state
  if (!found?.there) {
    return found?.may_create
      ? [notChecked(`The schema of the ${name}`, 'It does not exist yet; the first start creates it.')]
      : [
          error(`The role ${found?.role} may not create the schema of the ${name}.`, {
            change: `grant create on database ${found?.database} to ${found?.role};`,
          }),
        ]
  }
  const { rows } = await sql.query<{ name: string; oldest_release: number }>(
    `select name, oldest_release from ${schema}.migrations`,
  )
  return [judgeSchema(name, { applied: rows, files: sqlFilesIn(folder), release: DATABASE_RELEASE })]
}

const sqlFilesIn = (folder: string): string[] =>
  readdirSync(join(repositoryRoot, folder))
    .filter((name) => name.endsWith('.sql'))
    .toSorted()

interface SchemaState {
  readonly applied: readonly { readonly name: string; readonly oldest_release: number }[]
  /** The migrations of this release. */
  readonly files: readonly string[]
  readonly release: number
}

export function judgeSchema(name: string, { applied, files, release }: SchemaState): Finding {
  const tooNew = applied.filter((migration) => migration.oldest_release > release)
  if (tooNew.length > 0) {
    return error(
      `A newer release has changed the database of the ${name} (${tooNew.map((migration) => migration.name).join(', ')}): this release does not start on it.`,
      { detail: 'Start the newer release, or restore a backup from before the upgrade.' },
    )
  }
  const names = applied.map((migration) => migration.name)
  const missing = files.filter((file) => !names.includes(file))
  if (missing.length > 0) {
    return warning(`The database of the ${name} is older than this release: it lacks ${missing.join(', ')}.`, {
      detail: 'The next start of this release applies them. Back up before: docs/backup.md.',
    })
  }
  return ok(`The schema of the ${name} is up to date: ${files.at(-1) ?? 'no migrations'}.`)
}

async function serverFindings({ sql, url }: Extract<Opened, { sql: Pooled }>): Promise<Finding[]> {
  const { rows } = await sql.query<{ version: string; standby: boolean; read_only: string }>(
    `select current_setting('server_version') as version, pg_is_in_recovery() as standby,
            current_setting('default_transaction_read_only') as read_only`,
  )
  const [server] = rows
  if (server?.standby || server?.read_only === 'on') {
    return [
      error('The database is read-only: it is a standby, or default_transaction_read_only is on.', {
        change: 'DATABASE_URL=<the primary>',
      }),
    ]
  }
  const hears = await deliversNotifications(sql, url)
  return [
    ok(`PostgreSQL ${server?.version}.`),
    hears
      ? ok('Sessions keep their state: LISTEN and NOTIFY work.')
      : error('Notifications do not arrive: a connection pooler uses another session for each transaction.', {
          detail:
            'Refreshes are locked by session, and replicas learn of changes by LISTEN. PgBouncer: pool_mode = session for this database.',
          change: 'DATABASE_URL=<the server itself, or a pool in session mode>',
        }),
  ]
}

const NOTIFICATION_MS = 2_000

async function deliversNotifications(sql: Pooled, url: string): Promise<boolean> {
  const channel = `doctor_${randomBytes(8).toString('hex')}`
  const session = await openSession(url, () => undefined)
  try {
    let hasArrived = false
    session.client.on('notification', () => (hasArrived = true))
    await session.query(`listen ${channel}`)
    await sql.query(`notify ${channel}`)
    for (const deadline = performance.now() + NOTIFICATION_MS; !hasArrived && performance.now() < deadline;)
      await sleep(20)
    return hasArrived
  } finally {
    session.destroy()
  }
}

async function holdFindings(sql: Pooled): Promise<Finding[]> {
  const { rows: there } = await sql.query<{ there: boolean }>(
    `select to_regclass('gateway.database_hold') is not null as there`,
  )
  if (!there[0]?.there) return []
  const { rows } = await sql.query<{ reasons: string[] }>('select reasons from gateway.database_hold')
  const [hold] = rows
  if (!hold) return []
  return [
    error(`The gateway refreshes no tokens: its database may be a copy (${hold.reasons.join(', ')}).`, {
      detail: 'adopt if the original is gone, detach if this is a copy beside it: docs/deploy.md.',
      change: 'npm run database adopt',
    }),
  ]
}

/** Connections of a gateway process in addition to its pool: for locks, and for LISTEN. */
const SESSIONS_PER_GATEWAY = 2

interface ConnectionsOf {
  readonly installation: Installation
  readonly gateway: Opened
  readonly web: Opened
  readonly gateways: number | undefined
  readonly webs: number | undefined
}

async function connectionFindings(of: ConnectionsOf): Promise<Finding[]> {
  const { installation, gateway, web } = of
  const database = 'sql' in gateway ? gateway : web
  if (!('sql' in database) || database.embedded) return []
  const { sql } = database
  const { rows } = await sql.query<Omit<Capacity, 'needed'>>(
    `select least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
                  nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1))::int as usable,
            (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as open
       from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user`,
  )
  const [server] = rows
  if (!server) return []
  const isShared = 'known' in installation.web && (!('url' in web) || !('url' in gateway) || sameServer(web, gateway))
  const parts = [
    ...('known' in installation.gateway
      ? [await gatewayDemand(installation.gateway.known.config, sql, of.gateways)]
      : []),
    ...('known' in installation.web && isShared
      ? [{ processes: of.webs ?? 1, each: installation.web.known.settings.DATABASE_POOL_SIZE, name: 'web app' }]
      : []),
  ]
  return [judgeConnections(server, parts)]
}

const sameServer = (a: { url: string }, b: { url: string }): boolean => new URL(a.url).host === new URL(b.url).host

async function gatewayDemand(
  { WORKERS, DATABASE_POOL_SIZE }: { WORKERS: number; DATABASE_POOL_SIZE: number },
  sql: Pooled,
  given: number | undefined,
): Promise<Demand> {
  const live = await sql
    .query<{ count: number }>(
      `select count(*)::int as count from gateway.replicas where seen_at > clock_timestamp() - interval '30 seconds'`,
    )
    .then(
      ({ rows }) => rows[0]?.count ?? 0,
      () => 0,
    )
  const processes = given === undefined ? Math.max(WORKERS, live) : given * WORKERS
  return { processes, each: DATABASE_POOL_SIZE + SESSIONS_PER_GATEWAY, name: 'gateway' }
}

interface Capacity {
  /** Connections that the server, the database and the role allow. */
  readonly usable: number
  /** Open connections of all clients. */
  readonly open: number
}

interface Demand {
  readonly name: string
  readonly processes: number
  readonly each: number
}

/** Above this share there is no room for another replica during an upgrade. */
const NEARLY_ALL = 0.8

export function judgeConnections({ usable, open }: Capacity, demands: readonly Demand[]): Finding {
  const needed = demands.reduce((sum, { processes, each }) => sum + processes * each, 0)
  const sum = demands.map(({ processes, each, name }) => `${processes} × ${each} (${name})`).join(' + ')
  const facts = `${sum} = ${needed} of ${usable} connections; ${open} are open now.`
  const change = `max_connections = ${Math.ceil((needed / NEARLY_ALL + 10) / 10) * 10}   # postgresql.conf, or a smaller DATABASE_POOL_SIZE`
  if (needed > usable) return error(`The pools together may exceed the available connections: ${facts}`, { change })
  if (needed > usable * NEARLY_ALL) {
    return warning(`The pools together may use nearly all connections: ${facts}`, {
      detail: 'A rolling upgrade runs one more replica.',
      change,
    })
  }
  return ok(`Connections suffice: ${facts}`)
}
