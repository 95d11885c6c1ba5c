import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repositoryRoot } from '@nmg/process'
import { certificateFor, hasRedis, startRedis } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { deploymentSecrets } from '../../apps/web/test/support/product.ts'
import { examine } from '../../scripts/doctor/examine.ts'
import type { Row } from '../../scripts/doctor/live/observations.ts'
import type { Finding } from '../../scripts/doctor/report.ts'
import { FAULTS } from './faults.ts'
import { matching, startInstalled, trustingWeb, type Installed } from './installed.ts'

let at: Installed

beforeAll(async () => {
  at = await startInstalled()
})
afterAll(() => at?.stop())

describe('npm run doctor', () => {
  it('reports no errors for a working installation, and prints no secret', async () => {
    const files = { gateway: join(at.folder, 'gateway.env'), web: join(at.folder, 'web.env') }
    for (const [name, env] of [
      ['gateway', at.gateway],
      ['web', at.web],
    ] as const) {
      writeFileSync(
        files[name],
        Object.entries(env)
          .map(([key, value]) => `${key}=${value}\n`)
          .join(''),
      )
    }
    const doctor = await promisify(execFile)(
      process.execPath,
      [join(repositoryRoot, 'scripts/doctor.ts'), '--json', '--gateway-env', files.gateway, '--web-env', files.web],
      { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } },
    )
    expect(doctor.stderr).toBe('')
    const { findings, exitCode } = JSON.parse(doctor.stdout) as { findings: Finding[]; exitCode: number }
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([
      matching({ title: 'Disks', status: 'not_checked' }),
      matching({ title: 'Certificates', status: 'not_checked' }),
    ])
    expect(exitCode).toBe(0)
    expect(new Set(findings.map(({ area }) => area)).size).toBeGreaterThan(10)
    const password = new URL(at.gateway['DATABASE_URL'] ?? '').password
    for (const secret of [...Object.values(deploymentSecrets), `:${password}@`])
      expect(doctor.stdout).not.toContain(secret)
  })

  it.each(FAULTS)('reports in the area %s: %s', async (area, _, seed, expected) => {
    expect(await at.findings(await seed(at), area)).toContainEqual(matching(expected))
  })

  it('accepts the address that the outermost proxy saw', async () => {
    const origin = await at.behind({}, await trustingWeb())
    const findings = await at.findings({ web: { WEB_URL: origin, TRUSTED_PROXIES: '127.0.0.1' } }, 'proxy')
    expect(findings.map(({ status }) => status)).not.toContain('error')
    expect(findings).toContainEqual(matching({ status: 'ok', title: /outermost proxy saw: 127\.0\.0\.1/ }))
  })

  it.skipIf(!hasRedis())('warns about a Redis that evicts keys', async () => {
    const dropping = await startRedis(mkdtempSync(join(at.folder, 'redis-')))
    onTestFinished(async () => dropping?.stop())
    const { redisCommand } = await import('../../packages/process/src/testing/redis-server.ts')
    await redisCommand(dropping?.url ?? '', 'CONFIG SET maxmemory-policy allkeys-lru')
    expect(await at.findings({ gateway: { REDIS_URL: dropping?.url ?? '' } }, 'redis')).toContainEqual(
      matching({ status: 'warning', change: 'maxmemory-policy noeviction' }),
    )
  })

  it('trusts the authority of NODE_EXTRA_CA_CERTS like the processes', async () => {
    const certificate = certificateFor('localhost')
    const file = join(at.folder, 'own-ca.pem')
    writeFileSync(file, certificate.cert)
    const origin = await at.behind({ certificate })
    const findings = await at.findings({ web: { WEB_URL: origin, NODE_EXTRA_CA_CERTS: file } }, 'tls')
    expect(findings).toContainEqual(matching({ status: 'warning', title: /expires in 0 days/ }))
  })

  it('reports the reasons for skipped checks', async () => {
    const findings = await examine({ gateway: at.gateway }, { areas: ['database', 'jwks', 'proxy', 'keys'] })
    expect(findings).toContainEqual(
      matching({ status: 'not_checked', title: /web app/, detail: /^The settings of the web app are not given\.$/ }),
    )
  })
})

describe('npm run doctor -- --live', () => {
  it('creates a separate consent, reports the server’s behavior, and revokes it', async () => {
    const grantsBefore = new Set(at.product.simulator.issuedSecrets().map(({ grantId }) => grantId))
    const args = [join(repositoryRoot, 'scripts/doctor.ts'), '--live', '--json', '--process', 'gateway']
    const doctor = spawn(process.execPath, args, { env: { PATH: process.env['PATH'], ...at.gateway } })
    let [stdout, stderr] = ['', '']
    doctor.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    doctor.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const exited = once(doctor, 'exit')
    await expect.poll(() => stderr).toContain('ssh -L')
    const [authorizeUrl = ''] = /http\S+\/authorize\?\S+/.exec(stderr) ?? []
    // The browser: the simulator approves automatically and redirects to the doctor.
    expect(await (await fetch(authorizeUrl)).text()).toContain('Close this window')

    expect(await exited).toEqual([0, null])
    const { rows, isRevoked } = JSON.parse(stdout) as { rows: Row[]; isRevoked: boolean }
    const observed = Object.fromEntries(rows.map((row) => [row.subject, row.observed]))
    expect(isRevoked).toBe(true)
    expect(observed).toMatchObject({
      'life of the access token': '28800 s',
      'refresh token': 'given',
      'protocol version': '2025-06-18',
      tools: expect.stringMatching(/^\d+, \d+ with annotations$/),
      'refresh without resource': expect.stringContaining('new tokens'),
      'the same refresh token once more, at once': expect.stringMatching(/^status \d+/),
    })
    expect(new Set(rows.map(({ question }) => question))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    const issued = at.product.simulator.issuedSecrets()
    for (const { value } of issued) expect(stdout + stderr).not.toContain(value)

    const own = new Set(issued.map(({ grantId }) => grantId).filter((grant) => grant && !grantsBefore.has(grant)))
    expect(own.size).toBe(1)
    const last = at.product.simulator.recorded.tokenRequests.at(-1)
    expect(last).toMatchObject({ grantType: 'revocation', grantId: [...own][0], status: 200 })
    const others = at.product.simulator.recorded.tokenRequests.filter(
      ({ grantType, grantId }) => grantType === 'revocation' && !own.has(grantId),
    )
    expect(others).toEqual([])
  })
})

describe('the probe', () => {
  it.each([
    ['gateway', () => at.product.gatewayUrl, '/mcp/notion/probe'],
    ['web app', () => at.product.webUrl, '/api/probe'],
  ])('of the %s does not respond without a proof', async (_, origin, path) => {
    const valid = 'a'.repeat(43)
    const given: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${deploymentSecrets.GATEWAY_SERVICE_TOKEN}` },
      { 'x-gateway-probe': 'nothing' },
      { 'x-gateway-probe': `${Date.now()}.${'0'.repeat(32)}.${valid}` },
    ]
    const unknown = await fetch(`${origin()}${path}-of-nobody`)
    for (const headers of given) expect((await fetch(origin() + path, { headers })).status).toBe(unknown.status)
  })
})
