import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openServer } from '../embedded/server.ts'
import { startRedis } from './redis-server.ts'

/** The projects whose tests need neither PostgreSQL nor Redis. */
const WITHOUT_SERVERS = ['unit', 'simulator']

/** Starts one PostgreSQL (without fsync) and one Redis for the whole run, or uses those of the environment. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (project.vitest.projects.every(({ name }) => WITHOUT_SERVERS.includes(name))) return undefined

  const folder = mkdtempSync(join(tmpdir(), 'nmg-test-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  const given = { postgres: process.env['TEST_DATABASE_URL'], redis: process.env['TEST_REDIS_URL'] }
  const [postgres, redis] = await Promise.all([
    given.postgres ? undefined : openServer(folder, { durable: false }),
    given.redis ? undefined : startRedis(folder),
  ]).catch((error: unknown) => {
    removeFolder()
    throw error
  })
  project.provide('postgresUrl', given.postgres ?? postgres?.url('postgres', 'postgres') ?? '')
  project.provide('redisUrl', given.redis ?? redis?.url)
  return async () => {
    await Promise.all([postgres?.close(), redis?.stop()])
    removeFolder()
  }
}
