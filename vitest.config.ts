import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const project = (name: string, folder: string) => ({
  name,
  root: folder,
  include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
  // Bounds what hangs; the longest take three quarters of a minute on a slow machine.
  testTimeout: 120_000,
  // The first that needs the web app builds it, perhaps beside the build of a fresh clone.
  hookTimeout: 300_000,
  // What is waited for comes at once on an idle machine; a busy one is given time.
  expect: { poll: { timeout: 10_000 } },
})

/** The alias of apps/web/tsconfig.json. */
const webAlias = { alias: { '@/': `${join(import.meta.dirname, 'apps/web')}/` } }

export default defineConfig({
  test: {
    // One PostgreSQL and one Redis for the run; each test file gets a database of its own from @nmg/process/testing.
    globalSetup: 'packages/process/src/testing/global-setup.ts',
    // Most of a test's time is waiting for somebody else, so as many at once as there are processors leaves none idle.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      { test: project('contract', 'packages/contract') },
      { test: project('outbound', 'packages/outbound') },
      { test: project('process', 'packages/process') },
      { test: project('simulator', 'packages/notion-simulator') },
      { test: project('gateway', 'apps/gateway') },
      {
        resolve: webAlias,
        test: {
          ...project('web', 'apps/web'),
          // A busy machine can render a page between a test's look and its click. The report names each test that needed this.
          retry: 1,
          include: ['{components,features,lib}/**/*.test.ts', 'test/**/*.test.ts'],
        },
      },
      // Only where `npm run test:agents` has installed them.
      ...(process.env['AGENTS_BIN']
        ? [{ resolve: webAlias, test: { ...project('agents', 'apps/web'), include: ['agents/*.test.ts'] } }]
        : []),
      // Real clusters and long rotations: `npm run test:operations`.
      ...(process.env['OPERATIONS']
        ? [{ test: { ...project('operations', 'apps/gateway'), include: ['operations/*.test.ts'] } }]
        : []),
      { test: { ...project('repository', 'test'), include: ['**/*.test.ts'] } },
    ],
  },
})
