import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConformanceServer, conformanceServer } from './conformance-server.ts'
import { checks, type Scenarios } from './conformance-suite.ts'
import { type ProxyUnderTest, proxyUnderTest } from './proxy-under-test.ts'

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
  /** One for each run: both runs at once on one server would receive each other's notifications. */
  let servers: ConformanceServer[] = []
  let proxy: ProxyUnderTest
  let direct: Scenarios
  let proxied: Scenarios

  beforeAll(async () => {
    const alone = await conformanceServer()
    const behind = await conformanceServer()
    servers = [alone, behind]
    proxy = await proxyUnderTest(behind.url, {
      front: { authorization: 'Bearer service-token', 'x-space-id': 'north', 'x-user-id': 'ada' },
    })
    ;[direct, proxied] = await Promise.all([checks(alone.url.href, ...options), checks(proxy.url, ...options)])
  })

  afterAll(async () => {
    await proxy?.close()
    for (const server of servers) await server.close()
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
