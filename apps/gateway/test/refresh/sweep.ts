/** Measures the background refresh with very many connections on one database. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Client } from 'pg'
import { openServer } from '../../../../packages/process/src/embedded/server.ts'
import { aesVault } from '../../src/connections/keys/aes-vault.ts'
import { streamOf, TAKE_DUE } from '../../src/connections/postgres-connection-store.ts'
import { migrate } from '../../src/platform/database.ts'
import { readConfig } from '../../src/config.ts'
import { evolve, type ConnectionEvent } from '../../src/connections/connection.ts'
import { encode } from '../../src/connections/event-codec.ts'
import { MAX_DUE_AHEAD_MS } from '../../src/connections/refresh-schedule.ts'
import { openGateway } from '../../src/gateway.ts'
import { jsonLog } from '../../src/platform/log.ts'
import { Secret } from '../../src/platform/secret.ts'

const KEY = Buffer.alloc(32, 7)
const BATCH = 1_000

export interface Sweep {
  readonly connections: number
  /** A round without due connections. */
  readonly idleRoundMs: number
  /** To refresh all connections when all are due at once. */
  readonly seconds: number
  readonly perSecond: number
  readonly slowestCallMs: number
  readonly plan: readonly string[]
}

export async function sweep(connections: number): Promise<Sweep> {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-sweep-'))
  const server = await openServer(folder)
  const url = server.url('sweep', 'postgres')
  await query(server.url('postgres', 'postgres'), 'create database sweep')
  await migrate(url)
  const worker = new Worker(join(import.meta.dirname, 'sweep-token-endpoint.ts'))
  const [port] = (await once(worker, 'message')) as [number]
  await connect(url, `http://127.0.0.1:${port}`, connections)

  const gateway = await openGateway({
    config: readConfig(
      {
        NOTION_MCP_SERVER_URL: `http://127.0.0.1:${port}/mcp`,
        DATABASE_URL: url,
        GATEWAY_SERVICE_TOKEN: 'a-service-token-of-the-sweep',
        CREDENTIAL_KEYS: `sweep:${KEY.toString('base64')}`,
      },
      () => folder,
    ),
    databaseUrl: url,
    log: jsonLog('silent'),
  })
  try {
    const idleRoundMs = await timed(() => gateway.refreshDue())
    const plan = await explain(url)
    await query(url, `update gateway.connections set refresh_due_at = now() - random() * interval '1 hour'`)
    await query(url, 'vacuum analyze gateway.connections')
    const slowest = watchReads(url)
    const tookMs = await timed(async () => {
      // The gateway's own rounds run concurrently.
      while ((await gateway.refreshDue()) > 0);
    })
    const { rows } = await query(url, 'select count(*)::int as count from gateway.connections where version > 1')
    if (rows[0]?.['count'] !== connections) throw new Error(`only ${rows[0]?.['count']} were renewed`)
    return {
      connections,
      idleRoundMs,
      seconds: tookMs / 1000,
      perSecond: connections / (tookMs / 1000),
      slowestCallMs: await slowest(),
      plan,
    }
  } finally {
    await gateway.stop()
    await worker.terminate()
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function connect(url: string, issuer: string, count: number): Promise<void> {
  const vault = aesVault([{ kid: 'sweep', key: KEY }])
  const at = new Date()
  const expiresAt = new Date(at.getTime() + 8 * 3_600_000)
  const grant = {
    issuer,
    tokenEndpoint: `${issuer}/token`,
    revocationEndpoint: null,
    resource: null,
    scope: null,
    authorizedAt: at,
    authorizedBy: 'ada',
  }
  const client = new Client({ connectionString: url })
  await client.connect()
  for (let first = 0; first < count; first += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => {
      const space = `space-${first + i}`
      const stream = streamOf(space)
      const key = vault.newDataKey(stream)
      const credential = {
        accessToken: new Secret(`access-${space}`.padEnd(90, '.')),
        refreshToken: new Secret(`refresh-${space}`.padEnd(90, '.')),
        client: { clientId: 'client', clientSecret: null, authMethod: 'none' as const },
      }
      const sealed = vault.seal(key, { stream, generation: 1, grant }, credential)
      const event: ConnectionEvent = {
        type: 'NotionIntegrationAuthorized',
        at,
        by: 'ada',
        grant,
        credential: { sealed, keyId: key.id, generation: 1, expiresAt, isRenewable: true },
      }
      return { stream, space, key, event: encode(event), state: encode(evolve({ status: 'absent' }, event)) }
    })
    const column = <T>(of: (row: (typeof rows)[number]) => T) => rows.map(of)
    await client.query(
      `with given as (select * from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::jsonb[], $5::uuid[], $6::text[])
                        as g (stream, space, event, state, key, wrapped)),
            states as (insert into gateway.connections (stream, space_id, version, connection, workspace, refresh_due_at, last_used_at)
                       select stream, space, 1, state, '{}', now() + interval '7 hours', now() from given),
            keys as (insert into gateway.data_keys (stream, id, kid, wrapped) select stream, key, 'sweep', wrapped from given)
       insert into gateway.connection_events (stream, version, event) select stream, 1, event from given`,
      [
        column(({ stream }) => stream),
        column(({ space }) => space),
        column(({ event }) => event),
        column(({ state }) => state),
        column(({ key }) => key.id),
        column(({ key }) => key.wrapped),
      ],
    )
  }
  await client.query('vacuum analyze')
  await client.end()
}

/** Reads a connection repeatedly, as an uncached call does. Resolves to the duration of the slowest read. */
function watchReads(url: string): () => Promise<number> {
  let isOver = false
  const watching = (async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    let slowestMs = 0
    while (!isOver) {
      const space = `space-${Math.floor(Math.random() * 100)}`
      slowestMs = Math.max(
        slowestMs,
        await timed(() => client.query('select * from gateway.connections where stream = $1', [streamOf(space)])),
      )
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await client.end()
    return slowestMs
  })()
  return () => {
    isOver = true
    return watching
  }
}

/** The query plan of the statement that leases due connections while a tenth of all is due. */
async function explain(url: string): Promise<string[]> {
  await query(
    url,
    `update gateway.connections set refresh_due_at = now() - interval '1 minute' where space_id like 'space-%7'`,
  )
  const options = 'analyze, costs off, timing off, summary off, buffers off'
  const { rows } = await query(url, `explain (${options}) ${TAKE_DUE}`, [new Date(), 16, 60_000, MAX_DUE_AHEAD_MS])
  return rows.map((row) => String(row['QUERY PLAN']))
}

async function query(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<{ rows: Record<string, unknown>[] }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query<Record<string, unknown>>(text, [...values])
  } finally {
    await client.end()
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
