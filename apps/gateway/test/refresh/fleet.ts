/** Gateway processes on a dedicated PostgreSQL server, against a simulator in this process, and means to inject faults. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSimulator, type OptionChanges, type Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { openServer } from '../../../../packages/process/src/embedded/server.ts'
import { REFRESH_TIMES, type RefreshTimes } from '../../src/connections/refresh-schedule.ts'
import type { RefreshStep } from '../../src/failpoints.ts'
import { spawnGateway, type ProcessGateway } from '../support/gateway.ts'
import { databaseLine, type DatabaseLine } from './database-line.ts'

export interface FleetOptions {
  readonly size: number
  /** Shortens the timings of the protocol, so that tests need not wait for them. */
  readonly timesDividedBy: number
  readonly options?: OptionChanges
  /** Disables the refresh lock, as a negative control. */
  readonly withoutLock?: boolean
  readonly env?: Record<string, string>
}

/** One gateway of the fleet, whose process is replaced after it has died. */
export interface Member {
  /** The current process. */
  gateway: ProcessGateway
  readonly line: DatabaseLine
  /** Makes the process send itself this signal when it next reaches `step`. */
  arm(step: RefreshStep, signal: 'SIGKILL' | 'SIGSTOP'): void
  /** Resolves to true when that has happened; to false after `ms`. */
  hasFired(ms: number): Promise<boolean>
  disarm(): void
}

export interface Fleet {
  readonly notion: Simulator
  readonly members: readonly Member[]
  readonly times: RefreshTimes
  /** Crashes the database server, which restarts automatically. */
  crashDatabase(): Promise<void>
  /** Restarts the processes that have died. */
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

/** Resolves when another postmaster than `oldPid` accepts connections. */
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
