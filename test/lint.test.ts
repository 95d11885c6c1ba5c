import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'

/** The rules that each file breaks, were these lines at that place in the repository: "path: rule". */
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

/** A file in `folder` of the gateway that imports something, under a name that says what. */
const importing = (folder: string, from: string, ending = '.ts'): [string, ...string[]] => [
  `apps/gateway/src/${folder}/imports ${from.replaceAll('/', '|')}${ending}`,
  `import { thing } from '${from}'`,
  'export const other = thing',
]

describe('the layers of the gateway', () => {
  it('do not import what is above them, nor what only another layer may know', () => {
    const forbidden = [
      ...['node:crypto', 'node:fs', 'pg', '@nmg/process'].map((from) => importing('domain', from)),
      ...['../ports.ts', '../adapters/postgres/events.ts', '../flows/disconnect.ts'].map((from) =>
        importing('domain', from),
      ),
      importing('domain/parts', '../../ports.ts'),
      ...['../adapters/postgres/events.ts', '../http/app.ts', '../config.ts', '../main.ts'].map((from) =>
        importing('flows', from),
      ),
      ...['node:fs', 'node:http', 'oauth4webapi', 'hono/cookie', 'pg'].map((from) => importing('flows', from)),
      ...['../../flows/disconnect.ts', '../../http/app.ts', '../../gateway.ts', 'hono'].map((from) =>
        importing('adapters/oauth', from),
      ),
      ...['../adapters/postgres/events.ts', '../main.ts', 'pg', 'oauth4webapi'].map((from) => importing('http', from)),
    ]
    expect(brokenRules(forbidden)).toEqual(
      forbidden.map(([path]) => `${path}: eslint(no-restricted-imports)`).toSorted(),
    )
  })

  it('import what is below them', () => {
    const allowed = [
      ...['./envelope.ts', 'zod', '@nmg/contract'].map((from) => importing('domain', from)),
      ...['../domain/connection.ts', '../ports.ts', 'node:crypto'].map((from) => importing('flows', from)),
      ...['../../ports.ts', '../../domain/connection.ts', 'oauth4webapi'].map((from) =>
        importing('adapters/oauth', from),
      ),
      ...['../flows/disconnect.ts', 'hono'].map((from) => importing('http', from)),
      importing('.', './adapters/postgres/events.ts'),
      importing('domain', 'fast-check', '.test.ts'),
    ]
    expect(brokenRules(allowed)).toEqual([])
  })
})

describe('the web app', () => {
  it('names other folders by the alias, except in files that Node loads itself', () => {
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
  it('keeps the environment out of everything but the mains', () => {
    const line = 'export const level = process.env.LOG_LEVEL'
    const inside = [
      'apps/gateway/src/http/app.ts',
      'apps/gateway/src/log.ts',
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

  it('keeps the console out of everything but commands', () => {
    const line = "console.error('hello')"
    expect(brokenRules(['apps/gateway/src/log.ts', 'scripts/check.ts'].map((path) => [path, line]))).toEqual([
      'apps/gateway/src/log.ts: eslint(no-console)',
    ])
  })

  it('finds a promise that nobody waits for, which needs types', () => {
    const lines = ['async function save(): Promise<void> {}', 'export function close(): void {', '  save()', '}']
    expect(brokenRules([['apps/gateway/src/log.ts', ...lines]])).toEqual([
      'apps/gateway/src/log.ts: typescript(no-floating-promises)',
    ])
  })

  it('finds a default export outside of the pages', () => {
    const lines = ['export default function Page() {', '  return null', '}']
    expect(brokenRules(['apps/web/lib/session.ts', 'apps/web/app/page.tsx'].map((path) => [path, ...lines]))).toEqual([
      'apps/web/lib/session.ts: import(no-default-export)',
    ])
  })

  it('finds two modules that import each other', () => {
    const broken = brokenRules([
      ['apps/gateway/src/one.ts', "import { other } from './other.ts'", 'export const one = () => other'],
      ['apps/gateway/src/other.ts', "import { one } from './one.ts'", 'export const other = () => one'],
    ])
    expect(broken).toEqual(['apps/gateway/src/one.ts: import(no-cycle)', 'apps/gateway/src/other.ts: import(no-cycle)'])
  })
})
