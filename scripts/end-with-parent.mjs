// Preloaded, with --import, into programs that would not notice when the process that started them is killed.
import { isMainThread } from 'node:worker_threads'

/** How long the program may take to end in order. */
const GRACE_MS = 5_000

if (isMainThread && process.connected) {
  process.on('disconnect', () => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // Listening must not keep a program alive that has done its work.
  process.channel.unref()
  // What the program forks gets its arguments, and would no longer be kept alive by the channel that it waits on for work.
  process.execArgv.splice(process.execArgv.indexOf('--import'), 2)
}
