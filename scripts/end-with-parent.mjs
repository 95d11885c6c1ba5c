// Preloaded with --import into programs that do not detect when their parent is killed.
import { isMainThread } from 'node:worker_threads'

/** Time limit of a graceful end. */
const GRACE_MS = 5_000

if (isMainThread && process.connected) {
  process.on('disconnect', () => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // The listener must not keep a finished program alive.
  process.channel.unref()
  // Forked children must not inherit this preload: they would end while they wait for work on their channel.
  process.execArgv.splice(process.execArgv.indexOf('--import'), 2)
}
