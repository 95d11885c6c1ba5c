import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { delimiter } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { repositoryRoot } from '@nmg/process'

/** A command that was started as a person would, in a terminal of its own. */
export interface Command {
  pid: number
  stdout(): string
  stderr(): string
  /** Resolves when the command has said this, on either output; rejects when it ends without. */
  says(text: string): Promise<void>
  /** Resolves with the exit code; null after a signal. */
  ended: Promise<number | null>
}

/** Runs npm in a copy of the repository, with the Node that this machine has outside of it. */
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
 * @returns what ends the shell, and waits until it is gone.
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

/** The processes that run something of this folder, or in it: their ids and command lines. */
export function processesIn(folder: string): { pid: number; command: string }[] {
  const { stdout } = spawnSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+ /, '') }))
    .filter(({ pid, command }) => command.includes(`${folder}/`) || workingFolder(pid)?.startsWith(folder))
}

/** Where a process works, for those that do not name the folder; only Linux tells it at no cost. */
function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** Resolves with how long it took until nothing of the folder ran any more, in ms. */
export async function untilNothingRunsIn(folder: string): Promise<number> {
  const since = Date.now()
  while (processesIn(folder).length > 0) await sleep(50)
  return Date.now() - since
}

/** Our own environment without what this test run has put into it. */
function outsideEnvironment(): Record<string, string | undefined> {
  const ours =
    /^(npm_(lifecycle|package|node|command|config_local)|VITEST|NODE_|TEST_|(NODE_ENV|MODE|DEV|PROD|SSR|BASE_URL|TEST|INIT_CWD)$)/
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.startsWith(repositoryRoot))
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))),
    PATH: path.join(delimiter),
  }
}
