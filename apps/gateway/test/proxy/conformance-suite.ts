/** Runs the official conformance suite against a server. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const require = createRequire(import.meta.url)
const suite = join(require.resolve('@modelcontextprotocol/conformance/package.json'), '../dist/index.js')
const run = promisify(execFile)

/** Ids and outcomes of a scenario's checks, sorted: the order is not always the same. */
export type Scenarios = Record<string, string[]>

/** All scenarios that the options choose. The runner's exit code speaks of scores; the checks themselves say more. */
export async function checks(url: string, ...options: string[]): Promise<Scenarios> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
  try {
    await run(process.execPath, [suite, 'server', '--url', url, '-o', folder, ...options], {
      maxBuffer: 64 * 1024 * 1024,
    }).catch((error: { code?: unknown }) => {
      if (typeof error.code !== 'number') throw error
    })
    const scenarios: Scenarios = {}
    for (const entry of await readdir(folder)) {
      const name = entry.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '')
      const outcome = JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')) as {
        id: string
        status: string
      }[]
      scenarios[name] = outcome.map(({ id, status }) => `${id} ${status}`).sort()
    }
    return scenarios
  } finally {
    await rm(folder, { recursive: true })
  }
}
