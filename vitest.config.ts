import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Behaviour over HTTP, in a browser, or against a real database: the tests in a folder `test/`. */
const project = (name: string, folder: string) => ({
  name,
  root: folder,
  include: ['test/**/*.test.ts'],
  // Bounds tests that hang: most take seconds, and 45 on a machine under heavy load. A test that needs longer has its own limit.
  testTimeout: 60_000,
  // The first test that needs the web app builds it, possibly beside the build of a fresh clone.
  hookTimeout: 300_000,
  // Immediate on an idle machine; allows for a busy one.
  expect: { poll: { timeout: 10_000 } },
})

const processors = Math.max(2, availableParallelism())

/** Tests that mostly wait, for time-outs and for small processes: two at a time for each processor. */
const waiting = { maxWorkers: 2 * processors, sequence: { groupOrder: 0 } }

/** Tests that keep the processors busy themselves, with Chromium, Next and builds. */
const busy = { maxWorkers: processors + 1, sequence: { groupOrder: 1 } }

/** Tests with a command of their own, on real clusters, builds, containers and agents. */
const onDemand = (name: string, folder: string) => ({ ...project(name, folder), ...busy, testTimeout: 120_000 })

/** The alias of apps/web/tsconfig.json. */
const webAlias = { alias: { '@/': `${join(import.meta.dirname, 'apps/web')}/` } }

export default defineConfig({
  test: {
    // One PostgreSQL and one Redis for the run; each test file gets a database of its own from @nmg/process/testing.
    globalSetup: 'packages/process/src/testing/global-setup.ts',
    projects: [
      {
        resolve: webAlias,
        test: {
          name: 'unit',
          // Pure logic, beside its source: no server, browser or state that files could share.
          include: [
            '{packages,apps}/*/src/**/*.test.ts',
            'apps/web/{components,features,lib,authorization-server}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**'],
          isolate: false,
          testTimeout: 20_000,
          ...waiting,
        },
      },
      { test: { ...project('process', 'packages/process'), ...waiting } },
      { test: { ...project('simulator', 'packages/notion-simulator'), ...waiting } },
      { test: { ...project('gateway', 'apps/gateway'), ...waiting } },
      {
        resolve: webAlias,
        test: {
          ...project('web', 'apps/web'),
          ...busy,
          // On a busy machine a page can re-render between a query and a click. The report lists each retried test.
          retry: 2,
          include: ['test/**/*.test.ts'],
        },
      },
      // Only after `npm run test:agents` has installed them.
      ...(process.env['AGENTS_BIN']
        ? [{ resolve: webAlias, test: { ...onDemand('agents', 'apps/web'), include: ['agents/*.test.ts'] } }]
        : []),
      // Real clusters and long rotations: `npm run test:operations`.
      ...(process.env['OPERATIONS']
        ? [{ test: { ...onDemand('operations', 'apps/gateway'), include: ['operations/*.test.ts'] } }]
        : []),
      // Builds two releases and replaces one by the other: `npm run test:rolling`.
      ...(process.env['ROLLING'] ? [{ test: { ...onDemand('rolling', 'test'), include: ['rolling/*.test.ts'] } }] : []),
      // Only on images that `npm run test:image` has built.
      ...(process.env['IMAGE_ENGINE']
        ? [{ test: { ...onDemand('images', 'test'), include: ['images/*.test.ts'] } }]
        : []),
      { test: { ...project('repository', 'test'), ...busy, include: ['*.test.ts', '{deploy,doctor}/*.test.ts'] } },
    ],
  },
})
