// Opens the embedded database, prints its URL, and keeps it open until the process is stopped.
import { openDatabase, runProcess } from '@nmg/process'

const [dataDir = '', database = ''] = process.argv.slice(2)

runProcess('user', async () => {
  const { url, close } = await openDatabase({ dataDir, database })
  process.stdout.write(`${url}\n`)
  const stayAlive = setInterval(() => undefined, 60_000)
  return {
    stop: async () => {
      clearInterval(stayAlive)
      await close()
    },
  }
})
