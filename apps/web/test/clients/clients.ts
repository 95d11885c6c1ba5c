import { testDatabase } from '@nmg/process/testing'
import { Pool } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { buildApp } from '@/test/support/built-app.ts'
import { consent, newUser, type UserClient } from '@/test/support/user.ts'
import { deploymentSecrets, freePort, startProcess, startProduct, type Product } from '@/test/support/product.ts'

export interface AuthorizationServerScene {
  readonly webUrl: string
  readonly gatewayUrl: string
  readonly database: Pool
  readonly ada: UserClient
  newUser(name: string): Promise<UserClient>
  /** The MCP endpoint of a space. */
  resource(spaceId?: string): string
}

const PASSWORD = 'a-good-password'

const sceneOf = (
  webUrl: string,
  gatewayUrl: string,
  database: Pool,
  ada: UserClient,
  ownOrigin = webUrl,
): AuthorizationServerScene => ({
  webUrl,
  gatewayUrl,
  database,
  ada,
  newUser: (name) => newUser(webUrl, account(name), ownOrigin),
  resource: (spaceId = ada.spaceId) => `${gatewayUrl}/mcp/notion/spaces/${spaceId}`,
})
const account = (name: string) => ({ name, email: `${name.toLowerCase()}@north.test`, password: PASSWORD })

/**
 * The web app alone, for what it does as an authorization server; the gateway does not answer.
 *
 * @param settings further ones. With a `WEB_URL` the app is known by that; it listens on this machine all the same.
 */
export function authorizationServerScene(settings: Record<string, string> = {}): () => AuthorizationServerScene {
  let scene: AuthorizationServerScene
  let stop = async () => {}
  beforeAll(async () => {
    await buildApp()
    const { url } = await testDatabase()
    const port = await freePort()
    const [webUrl, gatewayUrl] = [`http://localhost:${port}`, `http://localhost:${await freePort()}`]
    const web = await startProcess('apps/web/main.ts', '"web.listening"', {
      PORT: String(port),
      WEB_URL: webUrl,
      CUDU_ENDPOINT: gatewayUrl,
      DATABASE_URL: url,
      ...deploymentSecrets,
      ...settings,
    })
    const database = new Pool({ connectionString: url })
    stop = async () => {
      await database.end()
      await web.kill()
    }
    const ownOrigin = settings['WEB_URL'] ?? webUrl
    const ada = await newUser(webUrl, account('Ada'), ownOrigin)
    scene = sceneOf(webUrl, gatewayUrl, database, ada, ownOrigin)
  })
  afterAll(() => stop())
  return () => scene
}

export interface ClientsScene extends AuthorizationServerScene {
  readonly product: Product
  /** Calls the MCP endpoint of a space, as a client would after logging in. */
  listTools(accessToken: string, spaceId?: string): Promise<Response>
  /** How such a call is answered. The gateway's processes hear of what ended from the database, within milliseconds. */
  statusOf(accessToken: string): Promise<number>
}

/** The whole product; Ada's space is connected with the simulated Notion. */
export function clientsScene(web: Record<string, string> = {}): () => ClientsScene {
  let scene: ClientsScene
  let stop = async () => {}
  beforeAll(async () => {
    const { url } = await testDatabase()
    const product = await startProduct({ DATABASE_URL: url }, { web })
    const database = new Pool({ connectionString: url })
    stop = async () => {
      await database.end()
      await product.stop()
    }
    const ada = await newUser(product.webUrl, account('Ada'))
    await connectNotion(product, ada)
    const base = sceneOf(product.webUrl, product.gatewayUrl, database, ada)
    const listTools = (accessToken: string, spaceId?: string) =>
      fetch(base.resource(spaceId), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${accessToken}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      })
    scene = { ...base, product, listTools, statusOf: async (accessToken) => (await listTools(accessToken)).status }
  })
  afterAll(() => stop())
  return () => scene
}

export async function connectNotion(product: Product, owner: UserClient): Promise<void> {
  product.simulator.setOptions({ autoApprove: true })
  const started = await owner.post('/api/notion/oauth/start', { spaceId: owner.spaceId })
  const { authorizeUrl } = (await started.json()) as { authorizeUrl: string }
  const ended = await consent(owner, authorizeUrl)
  if (ended.searchParams.get('status') !== 'success') throw new Error(`connecting ended at ${ended.href}`)
}
