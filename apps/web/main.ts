import { runProcess } from '@nmg/process'

const isDevelopment = process.argv.includes('--dev')

runProcess('web', async () => {
  // React, Next and better-auth read it while they are loaded, so it is set before they are.
  Object.assign(process.env, { NODE_ENV: isDevelopment ? 'development' : 'production' })
  const { startWeb } = await import('./server/web.ts')
  return startWeb(process.env, { isDevelopment })
})
