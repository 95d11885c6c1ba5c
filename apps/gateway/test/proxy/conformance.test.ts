import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConformanceServer, conformanceServer } from './conformance-server.ts'
import { type ProxyUnderTest, proxyUnderTest } from './proxy-under-test.ts'

const require = createRequire(import.meta.url)
const suite = join(require.resolve('@modelcontextprotocol/conformance/package.json'), '../dist/index.js')
const run = promisify(execFile)

/** Ids and outcomes of a scenario's checks, sorted: the order is not always the same. */
type Scenarios = Record<string, string[]>

/** Runs the official suite against a server. The runner's exit code speaks of scores; the checks themselves say more. */
async function checks(url: string, ...options: string[]): Promise<Scenarios> {
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

const failing = (scenarios: Scenarios) =>
  Object.keys(scenarios)
    .filter((name) => scenarios[name]?.some((check) => check.endsWith(' FAILURE')))
    .sort()

/** An extension that the server does not have. The suite runs these scenarios without scoring them. */
const withoutTasks = [
  'tasks-capability-negotiation',
  'tasks-dispatch-and-envelope',
  'tasks-lifecycle',
  'tasks-mrtr-composition',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-request-state-removal',
  'tasks-required-task-error',
  'tasks-wire-fields',
]

describe.each([
  ['2025-06-18', ['--suite', 'all', '--spec-version', '2025-06-18'], 27, []],
  ['2025-11-25', ['--requirements', '2025-11-25'], 33, []],
  ['2026-07-28', ['--requirements', '2026-07-28'], 50, withoutTasks],
])('the official conformance suite for %s', (_, options, count, expectedFailures) => {
  let server: ConformanceServer
  let proxy: ProxyUnderTest
  let direct: Scenarios
  let proxied: Scenarios

  beforeAll(async () => {
    server = await conformanceServer()
    proxy = await proxyUnderTest(server.url, {
      front: { authorization: 'Bearer service-token', 'x-space-id': 'north', 'x-user-id': 'ada' },
    })
    ;[direct, proxied] = await Promise.all([checks(server.url.href, ...options), checks(proxy.url, ...options)])
  })

  afterAll(async () => {
    await proxy?.close()
    await server?.close()
  })

  it('runs all its scenarios, and fails in those that are expected to, no more and no fewer', () => {
    expect(Object.keys(direct)).toHaveLength(count)
    expect(failing(direct)).toEqual(expectedFailures)
  })

  it('differs in no check behind the gateway', () => {
    expect(proxied).toEqual(direct)
  })

  it('was really run behind the gateway', () => {
    expect(proxy.records.length).toBeGreaterThan(count)
    expect(proxy.records.filter(({ failure }) => failure?.code === 'internal')).toEqual([])
  })
})
