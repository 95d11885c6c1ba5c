import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { runProcess } from '@nmg/process'
import { latestBuild } from './server/latest-build.ts'

// In the product's own folder: what lies there is run. Where it cannot be written, starting takes a little longer.
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/web'))

const isDevelopment = process.argv.includes('--dev')

runProcess('web', async () => {
  // React, Next and better-auth read it while they are loaded, so it is set before they are.
  Object.assign(process.env, { NODE_ENV: isDevelopment ? 'development' : 'production' })
  // Read by next.config.mjs. Until this process ends, it uses this build, also when another one is made meanwhile.
  if (!isDevelopment) Object.assign(process.env, { WEB_BUILD: latestBuild() })
  // Before Next is loaded. While it is developed, people read the console.
  if (!isDevelopment) (await import('./server/console.ts')).logConsole()
  const { startWeb } = await import('./server/web.ts')
  return startWeb(process.env, { isDevelopment })
})
