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
  // Until this process ends, it uses this build, also when another one is made meanwhile. Next learns it in next.config.mjs.
  const build = isDevelopment ? undefined : latestBuild()
  if (build) Object.assign(process.env, { WEB_BUILD: build })
  // Before Next is loaded. While it is developed, people read the console.
  if (!isDevelopment) (await import('./server/console.ts')).logConsole()
  const { startWeb } = await import('./server/web.ts')
  return startWeb(process.env, { isDevelopment, build })
})
