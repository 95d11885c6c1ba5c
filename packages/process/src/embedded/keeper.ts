import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { once } from 'node:events'
import { binaryArguments, type ServerSettings } from './server-settings.ts'
import { PROGRAM_ENVIRONMENT } from './cluster.ts'

/**
 * Runs its arguments as a command, and sends it SIGINT ("disconnect everybody and stop") when standard input ends. The other end of that
 * pipe is ours alone, so it ends with us however we die, and this works on every Unix.
 */
const KEEPER = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
( while read -r _ <&3; do :; done; kill -INT "$server" 2>/dev/null ) &
watcher=$!
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`

/** A PostgreSQL that lives no longer than this process. */
export interface Keeper {
  /** Resolves when the server is gone, however that came about. */
  exited: Promise<void>
  hasExited(): boolean
  /** Asks the server to stop, and resolves when it is gone. */
  stop(): Promise<void>
}

/** Starts the server; whether it comes up has to be seen by connecting. */
export function startKeeper(settings: ServerSettings): Keeper {
  const log = openSync(settings.logFile, 'a', 0o600)
  const command = [...settings.identity.prefix, settings.binaries.postgres, ...binaryArguments(settings)]
  const child = spawn('/bin/sh', ['-c', KEEPER, 'postgres-keeper', ...command], {
    // A session of its own: Ctrl-C in the terminal must reach those who use the database first.
    detached: true,
    env: PROGRAM_ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', log, log],
    ...settings.identity.user,
  })
  closeSync(log)
  child.unref()
  child.stdin?.on('error', () => undefined)

  let gone = false
  const exited = Promise.race([once(child, 'exit'), once(child, 'error')]).then(() => {
    gone = true
  })
  return {
    exited,
    hasExited: () => gone,
    stop: async () => {
      child.ref()
      child.stdin?.end()
      await exited
    },
  }
}
