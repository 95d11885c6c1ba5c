// A process that starts and stops according to its argument.
import { setTimeout as sleep } from 'node:timers/promises'
import { runProcess, StartupError } from '@nmg/process'

const behaviour = process.argv[2]

runProcess('probe', async (stopRequested) => {
  if (behaviour === 'refuses') throw new StartupError('PORT is not a number.\nHOST is not set.')
  if (behaviour === 'breaks') throw new TypeError('a bug')
  const stayAlive = setInterval(() => undefined, 60_000)
  process.stdout.write('starting\n')
  if (behaviour === 'starts slowly') await sleep(60_000, undefined, { signal: stopRequested })
  return {
    stop: async () => {
      clearInterval(stayAlive)
      process.stdout.write('stopping\n')
      if (behaviour === 'stops slowly') await sleep(60_000)
      if (behaviour === 'cannot stop') throw new Error('the disk is gone')
      process.stdout.write('stopped\n')
    },
  }
})
