/** The doctor's judgements of measurements. Pure. */
import { describe, expect, it } from 'vitest'
import { judgeCertificate } from '../../scripts/doctor/certificates.ts'
import { judgeOffset } from '../../scripts/doctor/clock.ts'
import { judgeConnections, judgeSchema } from '../../scripts/doctor/database.ts'
import { judgeSpace } from '../../scripts/doctor/disk.ts'
import { judgeClientAddress, judgeHost, judgeStreaming } from '../../scripts/doctor/forwarding.ts'
import { commonParent } from '../../scripts/doctor/installation.ts'
import { judgeJwks } from '../../scripts/doctor/jwks.ts'
import type { ObservedRequest } from '../../scripts/doctor/parts.ts'
import { INVENTED_ADDRESS as INVENTED } from '../../scripts/doctor/probe.ts'

const OWN_PORT = 50_000
const PROXY_PORT = 40_000
const CLIENT = '203.0.113.9'

const seenBy = (peer: string, chain: string | undefined, counted: string, port = PROXY_PORT): ObservedRequest => ({
  process: 'web',
  peer: { address: `::ffff:${peer}`, port },
  clientAddress: counted,
  host: 'notion.example.com',
  forwarded: chain === undefined ? {} : { 'x-forwarded-for': chain },
})

describe('the client address', () => {
  it.each([
    ['no proxy', seenBy('127.0.0.1', INVENTED, '127.0.0.1', OWN_PORT), '', 'ok', undefined],
    ['one proxy, trusted', seenBy('10.0.0.1', `${INVENTED}, ${CLIENT}`, CLIENT), '10.0.0.0/8', 'ok', undefined],
    ['a proxy that replaces the header', seenBy('10.0.0.1', CLIENT, CLIENT), '10.0.0.1', 'ok', undefined],
    ['two proxies, trusted', seenBy('10.0.0.1', `${CLIENT}, 10.0.0.2`, CLIENT), '10.0.0.1,10.0.0.2', 'ok', undefined],
    ['settings of the running process only', seenBy('10.0.0.1', CLIENT, CLIENT), '', 'ok', undefined],
    ['from a trusted network', seenBy('10.0.0.1', `${INVENTED}, 10.0.0.9`, INVENTED), '10.0.0.0/8', 'ok', undefined],
    [
      'one proxy, not trusted',
      seenBy('10.0.0.1', `${INVENTED}, ${CLIENT}`, '10.0.0.1'),
      '',
      'error',
      'TRUSTED_PROXIES=10.0.0.1',
    ],
    [
      'the outer one not trusted',
      seenBy('10.0.0.1', `${CLIENT}, 172.16.0.2`, '172.16.0.2'),
      '10.0.0.1',
      'error',
      'TRUSTED_PROXIES=10.0.0.1,172.16.0.2',
    ],
    [
      'neither trusted',
      seenBy('10.0.0.1', `${CLIENT}, 172.16.0.2`, '10.0.0.1'),
      '',
      'error',
      'TRUSTED_PROXIES=172.16.0.2,10.0.0.1',
    ],
    [
      'IPv6',
      { ...seenBy('10.0.0.1', CLIENT, 'fd00::1'), peer: { address: 'fd00::1', port: PROXY_PORT } },
      '',
      'error',
      'TRUSTED_PROXIES=fd00::1',
    ],
    [
      'the proxy on this machine, not trusted',
      seenBy('127.0.0.1', `${INVENTED}, 127.0.0.1`, '127.0.0.1'),
      '',
      'error',
      'TRUSTED_PROXIES=127.0.0.1',
    ],
    [
      'a process with other settings',
      seenBy('127.0.0.1', `${INVENTED}, 127.0.0.1`, '127.0.0.1'),
      '127.0.0.1',
      'error',
      'TRUSTED_PROXIES=127.0.0.1',
    ],
    ['a proxy that says nothing', seenBy('10.0.0.1', undefined, '10.0.0.1'), '', 'error', /^proxy_set_header/],
    ['the client’s header, not trusted', seenBy('10.0.0.1', INVENTED, '10.0.0.1'), '', 'error', /^proxy_set_header/],
    ['the client’s header, trusted', seenBy('10.0.0.1', INVENTED, INVENTED), '10.0.0.1', 'error', /^proxy_set_header/],
  ] as const)('with %s', (_, seen, trusted, status, change) => {
    const trustedProxies = trusted === '' ? [] : trusted.split(',')
    const finding = judgeClientAddress({
      seen,
      own: { port: OWN_PORT },
      trustedProxies,
      origin: 'https://notion.example.com',
    })
    expect(finding.status).toBe(status)
    if (change instanceof RegExp) expect(finding.change).toMatch(change)
    else expect(finding.change).toBe(change)
  })
})

describe('the host', () => {
  const seen = seenBy('10.0.0.1', undefined, '10.0.0.1')
  it.each([
    ['as it was sent', 'https://notion.example.com', false, 'ok'],
    ['another one', 'https://app.example.com', false, 'warning'],
    ['one that is refused', 'https://app.example.com', true, 'error'],
  ] as const)('that arrives: %s', (_, origin, refuses, status) => {
    expect(judgeHost({ seen, origin }, refuses).status).toBe(status)
  })
})

describe('streaming', () => {
  const arrivals = (...pairs: [number, number][]) =>
    pairs.map(([sentAfterMs, arrivedAfterMs]) => ({ sentAfterMs, arrivedAfterMs }))
  it.each([
    ['at once', arrivals([0, 0], [100, 101], [200, 203]), 'ok'],
    ['with a jolt', arrivals([0, 0], [100, 180], [200, 190]), 'ok'],
    ['all at the end', arrivals([0, 0], [100, 0], [200, 1]), 'error'],
    ['too few', arrivals([0, 0]), 'not_checked'],
    ['none', [], 'not_checked'],
  ] as const)('with events that arrive %s', (_, given, status) => {
    expect(judgeStreaming('web app', 'https://notion.example.com', given).status).toBe(status)
  })
})

describe('the clock', () => {
  it.each([
    [0, 'ok'],
    [1_999, 'ok'],
    [-2_500, 'warning'],
    [59_000, 'warning'],
    [-61_000, 'error'],
    [3_600_000, 'error'],
  ] as const)('that is off by %i ms', (offset, status) => expect(judgeOffset(offset).status).toBe(status))
})

describe('connections', () => {
  it.each([
    [2, 'ok', undefined],
    [7, 'warning', 'max_connections = 120   # postgresql.conf, or a smaller DATABASE_POOL_SIZE'],
    [9, 'error', 'max_connections = 150   # postgresql.conf, or a smaller DATABASE_POOL_SIZE'],
  ] as const)('of %i gateways', (processes, status, change) => {
    const finding = judgeConnections({ usable: 97, open: 5 }, [{ name: 'gateway', processes, each: 12 }])
    expect([finding.status, finding.change]).toEqual([status, change])
  })
})

describe('the schema', () => {
  const files = ['0001-a.sql', '0002-b.sql']
  const applied = (...rows: [string, number][]) => rows.map(([name, oldest_release]) => ({ name, oldest_release }))
  it.each([
    ['up to date', applied(['0001-a.sql', 1], ['0002-b.sql', 1]), 'ok'],
    [
      'changed by a newer release that lets this one run',
      applied(['0001-a.sql', 1], ['0002-b.sql', 1], ['0003-c.sql', 1]),
      'ok',
    ],
    ['changed by a newer release', applied(['0001-a.sql', 1], ['0002-b.sql', 1], ['0003-c.sql', 2]), 'error'],
    ['older', applied(['0001-a.sql', 1]), 'warning'],
  ] as const)('that is %s', (_, rows, status) => {
    expect(judgeSchema('gateway', { applied: rows, files, release: 1 }).status).toBe(status)
  })
})

describe('space on the disk', () => {
  const GB = 1024 ** 3
  it.each([
    [100, 500, 'ok'],
    [1.9, 4, 'ok'],
    [1.9, 500, 'warning'],
    [0.1, 500, 'error'],
  ] as const)('of %f of %i GB', (free, all, status) => {
    expect(judgeSpace({ folder: '/data', free: free * GB, all: all * GB }).status).toBe(status)
  })
})

describe('certificates', () => {
  const now = Date.parse('2026-11-29T00:00:00Z')
  const inDays = (days: number) => ({ refusal: undefined, validTo: now + days * 86_400_000, issuer: 'Example CA' })
  it.each([
    ['trusted', inDays(60), 'ok', undefined],
    ['about to end', inDays(5), 'warning', undefined],
    ['ended', { ...inDays(-1), refusal: 'CERT_HAS_EXPIRED' }, 'error', undefined],
    [
      'of an own authority',
      { ...inDays(60), refusal: 'SELF_SIGNED_CERT_IN_CHAIN' },
      'error',
      'NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
    ],
    ['for another name', { ...inDays(60), refusal: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'error', 'WEB_URL=…'],
    ['out of reach', { unreachable: 'ECONNREFUSED' }, 'not_checked', undefined],
  ] as const)('that are %s', (_, certificate, status, change) => {
    const finding = judgeCertificate('WEB_URL', new URL('https://notion.example.com'), certificate, now)
    expect([finding.status, finding.change]).toEqual([status, change])
  })
})

describe('published keys', () => {
  const stored = { all: ['new', 'old'], newest: 'new' }
  it.each([
    ['all of the database', { kids: ['new', 'old'] }, stored, 'ok'],
    ['of a database that is not known', { kids: ['x'] }, undefined, 'ok'],
    ['of another host', { kids: ['x'] }, stored, 'error'],
    ['none', { kids: [] }, stored, 'error'],
    ['of yesterday', { kids: ['old'] }, stored, 'error'],
    ['out of reach', { refused: 'ENOTFOUND' }, stored, 'error'],
  ] as const)('%s', (_, published, known, status) => {
    expect(judgeJwks('https://notion.example.com/api/auth', published, known).status).toBe(status)
  })
})

describe('the domain of the binding cookie', () => {
  it.each([
    ['gateway.example.com', 'notion.example.com', 'example.com'],
    ['notion.example.com', 'example.com', 'example.com'],
    ['gateway.example.com', 'notion.example.org', undefined],
    ['a.com', 'b.com', undefined],
  ])('of %s and %s', (one, other, domain) => expect(commonParent(one, other)).toBe(domain))
})
