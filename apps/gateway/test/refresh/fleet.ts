/** Real gateways as processes of their own, on a PostgreSQL of their own, against a simulator in this process; and the means to harm them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSimulator, type OptionChanges, type Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { openServer } from '../../../../packages/process/src/embedded/server.ts'
import { REFRESH_TIMES, type RefreshTimes } from '../../src/connections/refresh-schedule.ts'
import type { RefreshStep } from '../../src/refresh/ports.ts'
import { spawnGateway, type ProcessGateway } from '../support/gateway.ts'
import { databaseLine, type DatabaseLine } from './database-line.ts'

export type Step = RefreshStep | 'connected' | 'sent'

export interface FleetOptions {
  readonly size: number
  /** Makes the times of the protocol shorter, so that a test need not wait for them. */
  readonly timesDividedBy: number
  readonly options?: OptionChanges
  /** The negative control: gateways that refresh without asking each other. */
  readonly withoutLock?: boolean
  readonly env?: Record<string, string>
}

/** One gateway of the fleet: a place that a process has, and that gets another one when that has died. */
export interface Member {
  /** The process that is there now. */
  gateway: ProcessGateway
  readonly line: DatabaseLine
  /** Sends the process this signal when it gets to `step` next. */
  arm(step: Step, signal: 'SIGKILL' | 'SIGSTOP'): void
  /** Resolves when that has happened; false when it did not within `ms`. */
  hasFired(ms: number): Promise<boolean>
  disarm(): void
}

export interface Fleet {
  readonly notion: Simulator
  readonly members: readonly Member[]
  readonly times: RefreshTimes
  /** Kills the database server, without any notice to anybody. It comes up again by itself. */
  crashDatabase(): Promise<void>
  /** Starts a process wherever one has died. */
  revive(): Promise<void>
  close(): Promise<void>
}

export async function startFleet({ size, timesDividedBy, options, withoutLock, env }: FleetOptions): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-fleet-'))
  const server = await openServer(folder)
  const adminUrl = server.url('postgres', 'postgres')
  const admin = new Client({ connectionString: adminUrl })
  await admin.connect()
  await admin.query('create database fleet')
  await admin.end()

  const notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null, ...options } })
  const launch = (line: DatabaseLine, file: string) =>
    spawnGateway({
      mcpUrl: notion.mcpUrl,
      databaseUrl: line.url,
      env: {
        NODE_ENV: 'test',
        GATEWAY_FAULT_POINTS: JSON.stringify({ file, timesDividedBy, withoutLock: withoutLock === true }),
        SHUTDOWN_GRACE_SECONDS: '0',
        ...env,
      },
    })
  const member = async (index: number): Promise<Member & { readonly file: string }> => {
    const line = await databaseLine(server.url('fleet', 'postgres'))
    const file = join(folder, `fault-${index}`)
    return {
      gateway: await launch(line, file),
      line,
      file,
      arm: (step, signal) => writeFileSync(file, `${step} ${signal}`),
      async hasFired(ms) {
        const giveUpAt = performance.now() + ms
        while (existsSync(file)) {
          if (performance.now() > giveUpAt) return false
          await sleep(10)
        }
        return true
      },
      disarm: () => rmSync(file, { force: true }),
    }
  }
  const members = await Promise.all(Array.from({ length: size }, (_, index) => member(index)))

  return {
    notion,
    members,
    // The members are those of REFRESH_TIMES, each still a number.
    times: Object.fromEntries(
      Object.entries(REFRESH_TIMES).map(([name, ms]) => [name, ms / timesDividedBy]),
    ) as unknown as RefreshTimes,

    async crashDatabase() {
      const pid = Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
      process.kill(pid, 'SIGQUIT')
      await reachable(adminUrl, pid, join(folder, 'postgres', 'postmaster.pid'))
    },

    async revive() {
      await Promise.all(
        members.map(async (one) => {
          const { exitCode, signalCode } = one.gateway.process
          if (exitCode !== null || signalCode !== null) one.gateway = await launch(one.line, one.file)
        }),
      )
    },

    async close() {
      await Promise.all(
        members.map(async ({ gateway, line }) => {
          line.heal()
          gateway.process.kill('SIGCONT')
          await gateway.kill()
          await line.close()
        }),
      )
      await notion.close()
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when another postmaster than `oldPid` answers. */
async function reachable(url: string, oldPid: number, pidFile: string): Promise<void> {
  for (;;) {
    await sleep(50)
    if (!existsSync(pidFile) || Number(readFileSync(pidFile, 'utf8').split('\n')[0]) === oldPid) continue
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    const isThere = await client.connect().then(
      () => true,
      () => false,
    )
    await client.end().catch(() => undefined)
    if (isThere) return
  }
}
