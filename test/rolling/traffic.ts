/** Traffic during the upgrade, and its failures. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { UserClient } from '../../apps/web/test/support/user.ts'

export interface Traffic {
  /** Descriptions of failures. */
  readonly failures: readonly string[]
  /** Number of runs of each job. */
  readonly done: ReadonlyMap<string, number>
  /** Resolves when each job has run this often from now on. */
  more(times: number): Promise<void>
  stop(): Promise<void>
}

/** Pause between two runs of a job, to stay within the limits for users. */
const PAUSE_MS = 200

/** Repeats all jobs concurrently. A failed job throws. */
export function startTraffic(jobs: Readonly<Record<string, () => Promise<void>>>): Traffic {
  const failures: string[] = []
  const done = new Map(Object.keys(jobs).map((name) => [name, 0]))
  let isOver = false
  const running = Promise.all(
    Object.entries(jobs).map(async ([name, job]) => {
      while (!isOver) {
        await inTime(job()).catch((error: unknown) => failures.push(`${name}: ${String(error)}`))
        done.set(name, (done.get(name) ?? 0) + 1)
        await sleep(PAUSE_MS)
      }
    }),
  )
  return {
    failures,
    done,
    async more(times) {
      const goal = new Map([...done].map(([name, count]) => [name, count + times]))
      while ([...goal].some(([name, count]) => (done.get(name) ?? 0) < count)) {
        await sleep(20)
      }
    },
    async stop() {
      isOver = true
      await running
    },
  }
}

/** Longer than any request takes on a busy machine. A request without a response by then counts as lost. */
const DEADLINE_MS = 60_000

async function inTime(job: Promise<void>): Promise<void> {
  const late = new AbortController()
  const deadline = sleep(DEADLINE_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`no end within ${DEADLINE_MS / 1000} s`)
  })
  deadline.catch(() => undefined)
  await Promise.race([job, deadline]).finally(() => late.abort())
}

/** Calls a tool through the gateway like an application, and reads the whole response. */
export async function callTool(
  gatewayUrl: string,
  { spaceId, userId, token }: { spaceId: string; userId: string; token: string },
  name: string,
  args: object,
): Promise<void> {
  const response = await fetch(`${gatewayUrl}/mcp/notion/proxy`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'x-user-id': userId,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: args, _meta: { progressToken: 1 } },
      meta: { space_id: spaceId },
    }),
  })
  const text = await response.text()
  if (response.status !== 200 || !text.includes('"result"') || text.includes('"isError":true')) {
    throw new Error(`${name}: ${response.status} ${text.slice(0, 300)}`)
  }
}

/** Requests a page like a browser. */
export async function loadPage(user: UserClient, path: string): Promise<string> {
  const page = await user.fetch(path)
  const html = await page.text()
  if (page.status !== 200) throw new Error(`${path}: ${page.status} ${html.slice(0, 300)}`)
  return html
}

/** Loads every script, style and font of the page. */
export async function loadFiles(user: UserClient, html: string): Promise<void> {
  const files = new Set(html.match(/\/_next\/static\/[\w./~%-]+/g))
  if (files.size === 0) throw new Error('the page names no scripts')
  await Promise.all(
    [...files].map(async (file) => {
      const response = await user.fetch(file)
      await response.arrayBuffer()
      if (response.status !== 200) throw new Error(`${file}: ${response.status}`)
    }),
  )
}
