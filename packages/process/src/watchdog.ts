import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/**
 * A parent-death watchdog: runs its arguments as a command, and sends it SIGINT at the end of standard input. This process alone holds the other end
 * of that pipe, so it closes however this process dies. Works on every Unix.
 */
const WATCHDOG = `
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
( while read -r _ <&3; do :; done; kill -INT "$child" 2>/dev/null ) &
watcher=$!
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`

/** A program that does not outlive this process. */
export interface WatchedProcess {
  /** Resolves when the program has ended, with its exit code; undefined when it has none. */
  exited: Promise<number | undefined>
  hasExited(): boolean
  /** Lets this process exit while the program runs, which then ends too. */
  unref(): void
  /** Asks the program to stop, and resolves when it has ended. */
  stop(): Promise<void>
}

/** Starts `command` and appends its output to `logFile`. Connect to the program to find out whether it is ready. */
export function startWatched(
  command: readonly string[],
  options: { logFile: string; env: Record<string, string>; user?: { uid: number; gid: number } | undefined },
): WatchedProcess {
  const log = openSync(options.logFile, 'a', 0o600)
  const child = spawn('/bin/sh', ['-c', WATCHDOG, 'watchdog', ...command], {
    // A session of its own, so that Ctrl-C in the terminal stops this process first, and the program with it.
    detached: true,
    // The types of Next.js require NODE_ENV, which these programs do not need.
    env: options.env as NodeJS.ProcessEnv,
    cwd: '/',
    stdio: ['pipe', log, log],
    ...options.user,
  })
  closeSync(log)
  child.stdin?.on('error', () => undefined)

  let hasEnded = false
  const exited = new Promise<number | undefined>((resolve) => {
    child.on('exit', (code) => resolve(code ?? undefined))
    child.on('error', () => resolve(undefined))
  }).finally(() => (hasEnded = true))
  return {
    exited,
    hasExited: () => hasEnded,
    unref: () => child.unref(),
    stop: async () => {
      child.ref()
      child.stdin?.end()
      await exited
    },
  }
}
