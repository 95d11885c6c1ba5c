import { testDatabase } from '@nmg/process/testing'
import { buildApp } from './built-app.ts'
import { startGatewayStub, type GatewayStub } from './gateway-stub.ts'
import { deploymentSecrets, freePort, startProcess } from './product.ts'
import { newUser, type UserClient } from './user.ts'

export interface StubbedApp {
  readonly gateway: GatewayStub
  readonly webUrl: string
  readonly user: UserClient
  stop(): Promise<void>
}

/** The web app with a gateway whose responses the test chooses, and one user of it. */
export async function startStubbedApp(): Promise<StubbedApp> {
  await buildApp()
  const gateway = await startGatewayStub()
  const port = await freePort()
  const webUrl = `http://localhost:${port}`
  const web = await startProcess('apps/web/main.ts', '"web.listening"', {
    ...deploymentSecrets,
    PORT: String(port),
    WEB_URL: webUrl,
    CUDU_ENDPOINT: gateway.url,
    DATABASE_URL: (await testDatabase()).url,
  })
  const user = await newUser(webUrl, { name: 'Ada', email: 'ada@north.test', password: 'a-good-password' })
  return {
    gateway,
    webUrl,
    user,
    async stop() {
      await web.kill()
      await gateway.close()
    },
  }
}
