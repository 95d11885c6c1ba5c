import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { GATEWAY_FLAGS } from '../../scripts/gateway-flags.mjs'
import { readImage } from './files.ts'
import { unknownSettings } from './settings.ts'

describe.each(['gateway', 'web'] as const)('the image of the %s', (name) => {
  const image = readImage(name)

  it('is built in several stages on a configurable base without a pinned digest', () => {
    expect(image.args.get('BASE')).not.toContain('@sha256:')
    expect(image.stages.length).toBeGreaterThan(1)
    for (const [from] of image.stages) expect(from).toMatch(/^FROM (\$\{BASE\}|release)( AS \w+)?$/)
  })

  it('runs no command in the last stage, so it contains no build tools', () => {
    expect(image.stages.at(-1)?.filter((line) => line.startsWith('RUN '))).toEqual([])
  })

  it('omits the embedded database', () => {
    expect(image.stages.flat().join('\n')).toContain('--without-embedded-database')
  })

  it('runs as a numeric user, so that Kubernetes can verify that it is not root', () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  })

  it('starts Node directly, so that signals reach the process, with the flags of a checkout', () => {
    expect(image.entrypoint).toEqual(['node'])
    const flags = image.command.slice(0, -1)
    const entry = image.command.at(-1) ?? ''
    expect(flags).toEqual(name === 'gateway' ? GATEWAY_FLAGS : [])
    expect(existsSync(join(repositoryRoot, entry))).toBe(true)
  })

  it('listens on all addresses at the port that it exposes', () => {
    expect(image.env).toMatchObject({ HOST: '0.0.0.0', PORT: String(image.port), NODE_ENV: 'production' })
    expect(unknownSettings(name, image.env)).toEqual([])
  })

  it('has a health check', () => {
    expect(image.healthcheck).toContain('CMD ["node", "deploy/healthcheck.mjs", "/healthz"]')
  })
})

it('both images share the build of the release in a builder’s cache', () => {
  expect(readImage('gateway').stages[0]).toEqual(readImage('web').stages[0])
})

it('npm run test:image reports a missing builder and succeeds', () => {
  const script = join(repositoryRoot, 'scripts/images.ts')
  const { status, stdout } = spawnSync(process.execPath, [script], { env: { PATH: '/nowhere' }, encoding: 'utf8' })
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^SKIPPED: .+ because /)])
})
