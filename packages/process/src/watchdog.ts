import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/**
 * Runs its arguments as a command, and sends it SIGINT when standard input ends. The other end of that pipe is ours alone, so it ends
 * with us however we die, and this works on every Unix.
 */
const WATCHDOG = `
exec 3<&0 </dev/null
"$@" 3<&- &
kept=$!
( while read -r _ <&3; do :; done; kill -INT "$kept" 2>/dev/null ) &
watcher=$!
wait "$kept"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`

/** A program that lives no longer than this process. */
export interface WatchedProcess {
  /** Resolves when the program is gone, with its exit code; undefined when there is none. */
  exited: Promise<number | undefined>
  hasExited(): boolean
  /** From now on this process may end while the program runs, which ends it. */
  unref(): void
  /** Asks the program to stop, and resolves when it is gone. */
  stop(): Promise<void>
}

/** Starts `command`, with its output appended to `logFile`; whether it comes up has to be seen by connecting. */
export function startWatched(
  command: readonly string[],
  options: { logFile: string; env: Record<string, string>; user?: { uid: number; gid: number } | undefined },
): WatchedProcess {
  const log = openSync(options.logFile, 'a', 0o600)
  const child = spawn('/bin/sh', ['-c', WATCHDOG, 'watchdog', ...command], {
    // A session of its own: Ctrl-C in the terminal must reach those who use the program first.
    detached: true,
    // Next.js declares that NODE_ENV is always there; these programs have no use for it.
    env: options.env as NodeJS.ProcessEnv,
    cwd: '/',
    stdio: ['pipe', log, log],
    ...options.user,
  })
  closeSync(log)
  child.stdin?.on('error', () => undefined)

  let gone = false
  const exited = new Promise<number | undefined>((resolve) => {
    child.on('exit', (code) => resolve(code ?? undefined))
    child.on('error', () => resolve(undefined))
  }).finally(() => (gone = true))
  return {
    exited,
    hasExited: () => gone,
    unref: () => child.unref(),
    stop: async () => {
      child.ref()
      child.stdin?.end()
      await exited
    },
  }
}
