import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { repositoryRoot } from '../packages/process/src/index.ts'

const running = new Set<ChildProcess>()

/** Runs a program in the root of the repository with this process's output, and returns its exit code. */
export function runProgram(program: string, args: readonly string[], env?: Record<string, string>): Promise<number> {
  const child = spawn(program, args, {
    cwd: repositoryRoot,
    // No colors in log files.
    env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: '0' }), ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    // Its own process group, so that it can be ended together with its children.
    detached: true,
  })
  running.add(child)
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`)
      resolve(127)
    })
    child.on('exit', (code, signal) => {
      running.delete(child)
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}

/** Ends the programs when this process ends. */
export function endProgramsWithUs(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      for (const { pid } of running) if (pid !== undefined) process.kill(-pid, 'SIGTERM')
      process.exit(128 + constants.signals[signal])
    })
  }
}
