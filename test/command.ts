import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { delimiter } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { repositoryRoot } from '@nmg/process'

/** A command that runs as in a separate terminal. */
export interface Command {
  pid: number
  stdout(): string
  stderr(): string
  /** Resolves when the command has printed this, on either output; rejects if it ends before. */
  says(text: string): Promise<void>
  /** Resolves with the exit code, or null after a signal. */
  ended: Promise<number | null>
}

/** Runs npm in a copy of the repository, with this machine's own Node. */
export function npm(folder: string, args: readonly string[], settings: Record<string, string> = {}): Command {
  const child = spawn('npm', args, {
    cwd: folder,
    env: { ...outsideEnvironment(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  let hasEnded = false
  const ended = once(child, 'exit').then(([code]) => {
    hasEnded = true
    return code as number | null
  })
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    says: async (text) => {
      while (!stdout.includes(text) && !stderr.includes(text)) {
        if (hasEnded) throw new Error(`npm ${args.join(' ')} ended without saying "${text}":\n${stdout}\n${stderr}`)
        await sleep(20)
      }
    },
    ended,
  }
}

/**
 * Starts npm in the background of a shell without a terminal, as in `ssh host 'nohup npm … &'`.
 *
 * @returns a function that ends the shell and waits for its end.
 */
export function npmInBackground(folder: string, args: readonly string[], settings: Record<string, string>) {
  const shell = spawn('sh', ['-c', `nohup npm ${args.join(' ')} > background.log 2>&1 & read -r line`], {
    cwd: folder,
    env: { ...outsideEnvironment(), ...settings },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  return {
    async endShell(): Promise<void> {
      shell.stdin.end()
      await once(shell, 'exit')
    },
  }
}

/** Ids and command lines of the processes that run programs of this folder, or in it. */
export function processesIn(folder: string): { pid: number; command: string }[] {
  const { stdout } = spawnSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+ /, '') }))
    .filter(({ pid, command }) => command.includes(`${folder}/`) || workingFolder(pid)?.startsWith(folder))
}

/** The working directory of a process, for command lines without the folder. Only Linux shows it cheaply. */
function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** Resolves when no process of the folder runs, with the milliseconds that it took. */
export async function untilNothingRunsIn(folder: string): Promise<number> {
  const since = Date.now()
  while (processesIn(folder).length > 0) await sleep(50)
  return Date.now() - since
}

/** This process's environment without the variables of the test run. */
function outsideEnvironment(): Record<string, string | undefined> {
  const ours =
    /^(npm_(lifecycle|package|node|command|config_local)|VITEST|NODE_|TEST_|(NODE_ENV|MODE|DEV|PROD|SSR|BASE_URL|TEST|INIT_CWD)$)/
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.startsWith(repositoryRoot))
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))),
    PATH: path.join(delimiter),
  }
}
