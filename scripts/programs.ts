import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { repositoryRoot } from '../packages/process/src/index.ts'

const running = new Set<ChildProcess>()

/** Runs a program in the root of the repository, on our own output, and answers its exit code. */
export function runProgram(program: string, args: readonly string[], env?: Record<string, string>): Promise<number> {
  const child = spawn(program, args, {
    cwd: repositoryRoot,
    // Nobody reads colours in a log.
    env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: '0' }), ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    // Its own group, so that it can be ended with all that it started.
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

/** Makes the programs end with us. */
export function endProgramsWithUs(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      for (const { pid } of running) if (pid !== undefined) process.kill(-pid, 'SIGTERM')
      process.exit(128 + constants.signals[signal])
    })
  }
}
