import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'

/** The rules that these files would break at these paths, as "path: rule". */
function brokenRules(files: readonly (readonly [path: string, ...lines: string[]])[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-lint-'))
  try {
    copyFileSync(join(repositoryRoot, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
    for (const [path, ...lines] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), `${lines.join('\n')}\n`)
    }
    const { stdout, stderr } = spawnSync('oxlint', ['--format=json'], { cwd: folder, encoding: 'utf8' })
    if (!stdout.startsWith('{')) throw new Error(stdout + stderr)
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }
    return diagnostics.map(({ filename, code }) => `${filename}: ${code}`).toSorted()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A file in `folder` of the gateway with one import, named after it. */
const importing = (folder: string, from: string, ending = '.ts'): [string, ...string[]] => [
  `apps/gateway/src/${folder}/imports ${from.replaceAll('/', '|')}${ending}`,
  `import { thing } from '${from}'`,
  'export const other = thing',
]

/** Top to bottom. */
const LAYERS = ['clients', 'proxy', 'refresh', 'connections', 'platform'] as const
const ROOT_FILES = ['gateway.ts', 'config.ts', 'main.ts', 'serve.ts', 'http-server.ts', 'failpoints.ts']
const DRIVERS = ['pg', 'ioredis', 'undici', 'oauth4webapi', 'hono', 'node:fs', '@modelcontextprotocol/client']

describe('the gateway’s layers', () => {
  it('may not import from layers above them or from the composition root', () => {
    const forbidden = LAYERS.flatMap((layer, depth) => [
      ...LAYERS.slice(0, depth).map((above) => importing(layer, `../${above}/open.ts`)),
      ...ROOT_FILES.map((file) => importing(layer, `../${file}`)),
      importing(layer, '../commands/database.ts'),
    ])
    // Imports of types count too, and so do files with I/O and files in deeper folders.
    const others = [
      importing('connections/copies', '../../refresh/ports.ts'),
      importing('connections/oauth', '../../clients/open.ts'),
      [
        'apps/gateway/src/platform/type.ts',
        "import type { Thing } from '../proxy/upstream.ts'",
        'export type Other = Thing',
      ],
      [
        'apps/gateway/src/refresh/postgres-refresh-lock.ts',
        "import { thing } from '../proxy/upstream.ts'",
        'export const other = thing',
      ],
    ] as const
    expect(brokenRules([...forbidden, ...others])).toEqual(
      [...forbidden, ...others].map(([path]) => `${path}: eslint(no-restricted-imports)`).toSorted(),
    )
  })

  it('may do I/O only in files that are named after the peer', () => {
    const forbidden = LAYERS.filter((layer) => layer !== 'platform').flatMap((layer) =>
      DRIVERS.map((driver) => importing(layer, driver)),
    )
    expect(brokenRules(forbidden)).toEqual(
      forbidden.map(([path]) => `${path}: eslint(no-restricted-imports)`).toSorted(),
    )
  })

  it('may import from layers below them, and drivers in files that are named after the driver', () => {
    const allowed = LAYERS.flatMap((layer, depth) => [
      ...LAYERS.slice(depth + 1).map((below) => importing(layer, `../${below}/ports.ts`)),
      importing(layer, './other.ts'),
      importing(layer, 'fast-check', '.test.ts'),
    ])
    const io = [
      ['clients/postgres-keys.ts', 'pg'],
      ['proxy/http-upstream.ts', 'undici'],
      ['refresh/postgres-refresh-lock.ts', 'pg'],
      ['connections/redis-requests.ts', 'ioredis'],
      ['connections/oauth/discovery.ts', 'oauth4webapi'],
      ['platform/database.ts', 'pg'],
    ].map(([path, from]) => [
      `apps/gateway/src/${path}`,
      `import { thing } from '${from}'`,
      'export const other = thing',
    ])
    expect(brokenRules([...allowed, ...(io as [string, ...string[]][])])).toEqual([])
  })
})

describe('the web app', () => {
  it('imports other folders by the alias, except in files that Node loads itself', () => {
    const lines = (from: string) => [`import { thing } from '${from}'`, 'export const other = thing']
    const forbidden = [
      ['apps/web/app/page.tsx', ...lines('../lib/text.ts')],
      ['apps/web/components/ui/thing.tsx', ...lines('../json-text.tsx')],
      ['apps/web/features/chat/thing.ts', ...lines('../../lib/text.ts')],
      ...['authorization-server', 'lib', 'lib/drafts', 'server', '.'].map((folder) => [
        `apps/web/${folder}/thing.ts`,
        ...lines('@/lib/text.ts'),
      ]),
    ] as [string, ...string[]][]
    expect(brokenRules(forbidden)).toEqual(
      forbidden.map(([path]) => `${join(path)}: eslint(no-restricted-imports)`).toSorted(),
    )
    expect(
      brokenRules([
        ['apps/web/app/page.tsx', ...lines('@/lib/text.ts')],
        ['apps/web/features/chat/thing.ts', ...lines('./other-thing.ts')],
        ['apps/web/server/thing.ts', ...lines('../lib/text.ts')],
      ]),
    ).toEqual([])
  })
})

describe('the linter', () => {
  it('rejects access to the environment outside of main files', () => {
    const line = 'export const level = process.env.LOG_LEVEL'
    const inside = [
      'apps/gateway/src/connections/routes.ts',
      'apps/gateway/src/platform/log.ts',
      'apps/web/lib/session.ts',
      'packages/contract/src/index.ts',
    ]
    const mains = [
      'apps/gateway/src/serve.ts',
      'apps/web/main.ts',
      'scripts/start.ts',
      'apps/gateway/test/whole.test.ts',
    ]
    expect(brokenRules([...inside, ...mains].map((path) => [path, line]))).toEqual(
      inside.map((path) => `${path}: node(no-process-env)`),
    )
  })

  it('rejects the console outside of commands', () => {
    const line = "console.error('hello')"
    expect(brokenRules(['apps/gateway/src/platform/log.ts', 'scripts/check.ts'].map((path) => [path, line]))).toEqual([
      'apps/gateway/src/platform/log.ts: eslint(no-console)',
    ])
  })

  it('rejects a floating promise, which needs type information', () => {
    const lines = ['async function save(): Promise<void> {}', 'export function close(): void {', '  save()', '}']
    expect(brokenRules([['apps/gateway/src/platform/log.ts', ...lines]])).toEqual([
      'apps/gateway/src/platform/log.ts: typescript(no-floating-promises)',
    ])
  })

  it('rejects a default export outside of pages', () => {
    const lines = ['export default function Page() {', '  return null', '}']
    expect(brokenRules(['apps/web/lib/session.ts', 'apps/web/app/page.tsx'].map((path) => [path, ...lines]))).toEqual([
      'apps/web/lib/session.ts: import(no-default-export)',
    ])
  })

  it('rejects modules that import only types of each other', () => {
    const broken = brokenRules([
      ['apps/gateway/src/one.ts', "import type { Other } from './other.ts'", 'export type One = Other[]'],
      ['apps/gateway/src/other.ts', "import type { One } from './one.ts'", 'export type Other = { ones: One }'],
    ])
    expect(broken).toEqual(['apps/gateway/src/one.ts: import(no-cycle)', 'apps/gateway/src/other.ts: import(no-cycle)'])
  })

  it('rejects two modules that import each other', () => {
    const broken = brokenRules([
      ['apps/gateway/src/one.ts', "import { other } from './other.ts'", 'export const one = () => other'],
      ['apps/gateway/src/other.ts', "import { one } from './one.ts'", 'export const other = () => one'],
    ])
    expect(broken).toEqual(['apps/gateway/src/one.ts: import(no-cycle)', 'apps/gateway/src/other.ts: import(no-cycle)'])
  })
})
