// Opens the embedded database, says where, and keeps it open until it is told to stop.
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
