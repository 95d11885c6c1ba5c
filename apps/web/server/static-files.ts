import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, sep } from 'node:path'
import type { Pool } from 'pg'
import { SCHEMA } from '../lib/database.ts'

/** How long files outlive the last process of their release. For as long, a tab that was left open can load what it lacks. */
const KEEP_DAYS = 14

/** Files are renewed when they were not for this long; a running process looks more often. */
const RENEW_AFTER = `interval '1 day'`

const PREFIX = '/_next/static/'

/** As Next serves its own: their names contain a digest of their content. */
const CACHE_CONTROL = 'public, max-age=31536000, immutable'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=UTF-8',
  '.js': 'text/javascript; charset=UTF-8',
  '.json': 'application/json; charset=UTF-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** The scripts, styles and fonts of pages, of this release and of others on the same database. */
export interface StaticFiles {
  /** Makes the files of this release known to the processes of others. To be done before a page of it is served. */
  publish(): Promise<void>
  /** Keeps the files of this release, and removes those of releases that nobody runs any longer. To be repeated. */
  renew(): Promise<void>
  /** Responds to a request for a file that only another release has. @returns false when it is none. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/** @param folder where the build keeps them. */
export function staticFiles(pool: Pool, folder: string): StaticFiles {
  const own = new Set(filesBelow(folder))

  return {
    async publish() {
      const { rows } = await pool.query<{ path: string }>(
        `update ${SCHEMA}.static_file set seen_at = now() where path = any($1) returning path`,
        [[...own]],
      )
      const known = new Set(rows.map(({ path }) => path))
      const paths = [...own].filter((path) => !known.has(path))
      await pool.query(
        `insert into ${SCHEMA}.static_file (path, content) select * from unnest($1::text[], $2::bytea[])
         on conflict (path) do update set seen_at = now()`,
        [paths, await Promise.all(paths.map((path) => readFile(join(folder, path))))],
      )
    },

    async renew() {
      await pool.query(
        `update ${SCHEMA}.static_file set seen_at = now() where path = any($1) and seen_at < now() - ${RENEW_AFTER}`,
        [[...own]],
      )
      await pool.query(`delete from ${SCHEMA}.static_file where seen_at < now() - $1 * interval '1 day'`, [KEEP_DAYS])
    },

    async handle({ method, url = '' }, response) {
      const path = pathOf(url)
      if (path === undefined || own.has(path) || (method !== 'GET' && method !== 'HEAD')) return false
      const { rows } = await pool.query<{ content: Buffer }>(
        `select content from ${SCHEMA}.static_file where path = $1`,
        [path],
      )
      const [file] = rows
      if (!file) return false
      response.writeHead(200, {
        'content-type': CONTENT_TYPES[extname(path)] ?? 'application/octet-stream',
        'content-length': file.content.length,
        'cache-control': CACHE_CONTROL,
      })
      response.end(method === 'HEAD' ? undefined : file.content)
      return true
    },
  }
}

/** The file that a request is for, as paths are written in the table; undefined when it is for something else. */
function pathOf(url: string): string | undefined {
  const [address = ''] = url.split('?')
  if (!address.startsWith(PREFIX)) return undefined
  try {
    return decodeURIComponent(address.slice(PREFIX.length))
  } catch {
    return undefined
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(folder.length + 1)
        .replaceAll(sep, '/'),
    )
}
