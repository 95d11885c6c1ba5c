import { defineConfig } from 'vitest/config'

const project = (name: string, folder: string) => ({
  test: { name, root: folder, include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
})

export default defineConfig({
  test: {
    projects: [
      project('contract', 'packages/contract'),
      project('process', 'packages/process'),
      project('simulator', 'packages/notion-simulator'),
      project('gateway', 'apps/gateway'),
      { test: { ...project('web', 'apps/web').test, fileParallelism: false } },
      { test: { ...project('repository', 'test').test, include: ['**/*.test.ts'], fileParallelism: false } },
    ],
  },
})
