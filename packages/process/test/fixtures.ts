import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { onTestFinished } from 'vitest'

/** A process that has opened the embedded database. */
export interface User {
  pid: number
  url: string
  /** Resolves when the process has ended, with its exit code and stderr. */
  ended: Promise<{ code: number | null; stderr: string }>
  close(): Promise<void>
  kill(signal: NodeJS.Signals): void
}

/** Creates a folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-process-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Opens the embedded database of `dataDir` in another process. */
export async function openElsewhere(dataDir: string, database = 'gateway'): Promise<User> {
  const child = launch([join(import.meta.dirname, 'database-user.ts'), dataDir, database])
  const url = await Promise.race([
    firstLine(child),
    childEnded(child).then(({ stderr }) => Promise.reject(new Error(stderr))),
  ])
  return {
    pid: child.pid ?? 0,
    url,
    ended: childEnded(child),
    close: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
    kill: (signal) => void child.kill(signal),
  }
}

/** Starts Node with these arguments and an IPC channel, and kills it after the test. */
export function launch(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Resolves when the process has ended, with its exit code and stderr. */
export async function childEnded(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  const [stderr] = await Promise.all([child.stderr ? text(child.stderr) : '', exited])
  return { code: child.exitCode, stderr }
}

export async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('stdout is not a pipe')
  for await (const line of createInterface(child.stdout)) return line
  throw new Error('the process ended without output')
}

/** Runs one query on a new connection. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Polls until there is a result, at most until the time-out of the test. */
export async function eventually<T>(poll: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const result = await Promise.resolve(poll()).catch(() => undefined)
    if (result !== undefined && result !== false) return result
    await sleep(50)
  }
}
