/** The databases of both processes, open during the examination. Missing ones are not created. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Installation } from './installation.ts'
import { jsonLog, openDatabase, openPool, StartupError, type Pooled } from './parts.ts'

/** A database, or the reason why it is not open. `refused` is an error. */
export type Opened =
  | { readonly url: string; readonly sql: Pooled; readonly embedded: boolean }
  | { readonly unknown: string }
  | { readonly refused: string }

export interface Databases {
  readonly gateway: Opened
  readonly web: Opened
  close(): Promise<void>
}

/** The doctor reports database errors itself. */
const NO_LOG = jsonLog('silent', { write: () => undefined })

export async function openDatabases({ gateway, web }: Installation): Promise<Databases> {
  const closing: (() => Promise<void>)[] = []
  const open = async (
    database: 'gateway' | 'web',
    databaseUrl: string | undefined,
    dataFolder: string,
  ): Promise<Opened> => {
    if (databaseUrl === undefined && !existsSync(join(dataFolder, 'postgres', 'PG_VERSION')))
      return { unknown: 'there is no database yet; the first start makes it' }
    try {
      const opened = await openDatabase({ databaseUrl, dataDir: dataFolder, database })
      const sql = openPool(opened.url, NO_LOG, 2)
      closing.push(async () => {
        await sql.end()
        await opened.close()
      })
      return { url: opened.url, sql, embedded: opened.embedded }
    } catch (error) {
      if (!(error instanceof StartupError)) throw error
      return { refused: error.message }
    }
  }
  const gatewayDatabase =
    'known' in gateway
      ? await open('gateway', gateway.known.config.DATABASE_URL, gateway.known.dataFolder)
      : { unknown: gateway.unknown }
  const webDatabase =
    'known' in web ? await open('web', web.known.settings.DATABASE_URL, web.known.dataFolder) : { unknown: web.unknown }
  return {
    gateway: gatewayDatabase,
    web: webDatabase,
    async close() {
      for (const close of closing.toReversed()) await close()
    },
  }
}
