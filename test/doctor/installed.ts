/** A working installation with the settings of its processes, and ways to change it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasRedis, startRedis, testDatabase } from '@nmg/process/testing'
import { expect, onTestFinished } from 'vitest'
import { deploymentSecrets, startProduct, type Product } from '../../apps/web/test/support/product.ts'
import { serveHttp } from '../../apps/web/server/http.ts'
import { probeWith } from '../../apps/web/server/probe.ts'
import { examine, type ExamineOptions } from '../../scripts/doctor/examine.ts'
import { jsonLog, openPool } from '../../scripts/doctor/parts.ts'
import type { Area, Finding } from '../../scripts/doctor/report.ts'
import { reverseProxy, serve, type ReverseProxyOptions } from './reverse-proxy.ts'

type Env = Record<string, string>

export interface Fault extends ExamineOptions {
  readonly gateway?: Env
  readonly web?: Env
}

export type Expected = Partial<Record<'status' | 'title' | 'detail' | 'change', string | RegExp>>

/** A finding that has at least these members. */
export const matching = (expected: Expected) =>
  expect.objectContaining(
    Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [
        name,
        value instanceof RegExp ? expect.stringMatching(value) : value,
      ]),
    ),
  )

export interface Installed {
  readonly product: Product
  readonly gateway: Env
  readonly web: Env
  readonly folder: string
  /** The doctor's findings of one area, with these settings instead of the correct ones. */
  findings(fault: Fault, area: Area): Promise<Finding[]>
  /** Runs a statement now, and another at the end of the test. */
  changed(statement: string, back: string): Promise<Fault>
  /** Starts a reverse proxy in front of the web app, or of another origin. Returns its origin. */
  behind(options: Omit<ReverseProxyOptions, 'upstream'>, upstream?: string): Promise<string>
  stop(): Promise<void>
}

export async function startInstalled(): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-doctor-'))
  const databaseUrl = (await testDatabase()).url
  const redis = hasRedis() ? await startRedis(folder) : undefined
  const ofRedis: Env = redis ? { REDIS_URL: redis.url } : {}
  const product = await startProduct({ DATABASE_URL: databaseUrl }, { gateway: ofRedis })
  const common = { ...deploymentSecrets, DATABASE_URL: databaseUrl, DATA_DIR: folder }
  const gateway: Env = {
    ...common,
    ...ofRedis,
    PORT: new URL(product.gatewayUrl).port,
    NOTION_MCP_SERVER_URL: product.simulator.mcpUrl,
    NOTION_MCP_OAUTH_REDIRECT_URI: `${product.gatewayUrl}/integrations/notion/mcp/oauth/callback`,
    NOTION_MCP_RETURN_BASE_URL: product.webUrl,
  }
  const web: Env = {
    ...common,
    PORT: new URL(product.webUrl).port,
    WEB_URL: product.webUrl,
    CUDU_ENDPOINT: product.gatewayUrl,
  }
  const sql = openPool(databaseUrl, jsonLog('silent', { write: () => undefined }), 1)
  await connectSpace(product)
  // Creates the keys of the authorization server.
  await fetch(`${product.webUrl}/api/auth/jwks`)
  return {
    product,
    gateway,
    web,
    folder,
    async findings({ gateway: ofGateway, web: ofWeb, ...options }, area) {
      const environments = { gateway: { ...gateway, ...ofGateway }, web: { ...web, ...ofWeb } }
      const findings = await examine(environments, { areas: [area], ...options })
      return findings.filter((finding) => finding.area === area)
    },
    async changed(statement, back) {
      await sql.query(statement)
      onTestFinished(async () => void (await sql.query(back)))
      return {}
    },
    async behind(options, upstream = product.webUrl) {
      const proxy = await reverseProxy({ upstream, ...options })
      onTestFinished(proxy.close)
      return proxy.origin
    },
    async stop() {
      await sql.end()
      await product.stop()
      await redis?.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Connects a space like an application, so that the database has a sealed credential. */
async function connectSpace({ simulator, gatewayUrl }: Product): Promise<void> {
  simulator.setOptions({ autoApprove: true })
  const start = await fetch(`${gatewayUrl}/integrations/notion/oauth/mcp/start?space_id=north`, {
    headers: { authorization: `Bearer ${deploymentSecrets.GATEWAY_SERVICE_TOKEN}`, 'x-user-id': 'ada' },
  })
  const { authorizeUrl } = (await start.json()) as { authorizeUrl: string }
  const consent = await fetch(authorizeUrl, { redirect: 'manual' })
  const callback = await fetch(consent.headers.get('location') ?? '', { redirect: 'manual' })
  expect(callback.headers.get('location')).toContain('status=success')
}

/** Another installation: an authorization server with different keys, and another service token. */
export async function elsewhere(): Promise<string> {
  const site = await serve((request, response) => {
    const issuer = `http://${request.headers.host}/api/auth`
    const isMetadata = request.url?.startsWith('/.well-known/')
    const body = isMetadata
      ? { issuer, jwks_uri: `${issuer}/jwks` }
      : { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'of-somebody-else' }] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  onTestFinished(site.close)
  return site.origin
}

/** A web app's HTTP server that trusts proxies on this machine. */
export async function trustingWeb(): Promise<string> {
  const server = await serveHttp('127.0.0.1', 0, {
    webUrl: 'http://localhost',
    isHttps: false,
    isDevelopment: false,
    trustedProxies: ['127.0.0.1'],
    readiness: async () => ({ status: 'ready' }),
    probe: probeWith(deploymentSecrets.GATEWAY_SERVICE_TOKEN),
    handle: async (_request, response) => void response.writeHead(404).end(),
  })
  onTestFinished(() => server.stop())
  return `http://localhost:${server.port}`
}
