/** The official conformance suite at a space's endpoint: a client with a key must get the same results as without the gateway. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { testDatabase } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpUpstream } from '../../src/proxy/http-upstream.ts'
import { openPlatform } from '../../src/platform/open.ts'
import { ACCESS_CHANNEL } from '../../src/clients/revocation-notices.ts'
import { postgresMcpSessions } from '../../src/proxy/postgres-mcp-sessions.ts'
import { openClients } from '../../src/clients/open.ts'
import { readConfig } from '../../src/config.ts'
import { createApp } from '../../src/connections/routes.ts'
import { serviceAuthenticator } from '../../src/platform/service-token.ts'
import { mcpProxy } from '../../src/proxy/proxy.ts'
import { createGatewayServer } from '../../src/http-server.ts'
import { jsonLog } from '../../src/platform/log.ts'
import { conformanceServer, type ConformanceServer } from '../proxy/conformance-server.ts'
import { checks } from '../proxy/conformance-suite.ts'
import { tokensInMemory } from '../proxy/proxy-under-test.ts'
import { CREDENTIAL_KEYS, SERVICE_TOKEN } from '../support/gateway.ts'

interface Endpoint {
  /** The URL of a space's endpoint that adds a key to each request. */
  readonly url: string
  requests(): number
  close(): Promise<void>
}

/** Starts the gateway's HTTP server with all parts for clients, in front of an MCP server without OAuth. */
async function startEndpoint(upstreamUrl: URL): Promise<Endpoint> {
  const { url: databaseUrl } = await testDatabase()
  const log = jsonLog('silent', new Writable())
  const config = readConfig(
    {
      DATABASE_URL: databaseUrl,
      GATEWAY_SERVICE_TOKEN: SERVICE_TOKEN,
      CREDENTIAL_KEYS,
      CLIENT_TOKEN_ISSUERS: '[]',
      CLIENT_REQUESTS_PER_MINUTE: '100000',
    },
    () => '',
  )
  const platform = await openPlatform({ databaseUrl, poolSize: 10, channels: [ACCESS_CHANNEL], log })
  const { sql } = platform
  const connectUrl = () => 'http://app.test/connect'
  const clients = openClients({ platform, settings: config, connectUrl })
  const upstream = httpUpstream({
    url: upstreamUrl,
    userAgent: 'test',
    connectTimeoutMs: 5000,
    headTimeoutMs: 20_000,
    maxAgeMs: 600_000,
  })
  let requests = 0
  const proxy = mcpProxy({
    accessTokens: tokensInMemory(),
    sessions: postgresMcpSessions(sql),
    upstream,
    connectUrl,
    authenticate: clients.authenticate,
    errorResponse: clients.errorResponse,
    maxBodyBytes: config.PROXY_MAX_BODY_BYTES,
    onDone: () => requests++,
  })
  const authenticate = serviceAuthenticator(config.serviceTokens)
  const app = createApp({ log, authenticate } as never)
  clients.addRoutes(app, authenticate)
  const gateway = createGatewayServer(proxy, app as never, log, clients.handleCors).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  const base = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const created = await fetch(`${base}/access/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SERVICE_TOKEN}`, 'x-user-id': 'ada' },
    body: JSON.stringify({ spaceId: 'north', scope: 'notion:write', name: 'suite' }),
  })
  const { key } = (await created.json()) as { key: string }

  // The suite cannot send a custom header, so this server adds the key to each request.
  const front = createServer((req, res) => {
    req.headers['authorization'] = `Bearer ${key}`
    req.rawHeaders.push('authorization', `Bearer ${key}`)
    gateway.emit('request', req, res)
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}/mcp/notion/spaces/north`,
    requests: () => requests,
    async close() {
      for (const server of [front, gateway]) {
        server.closeAllConnections()
        server.close()
      }
      clients.close()
      upstream.close()
      await platform.close()
    },
  }
}

describe.each([
  ['2025-11-25', 33],
  ['2026-07-28', 50],
])('the official conformance suite for %s', (revision, count) => {
  let server: ConformanceServer
  let endpoint: Endpoint

  beforeAll(async () => {
    server = await conformanceServer()
    endpoint = await startEndpoint(server.url)
  })
  afterAll(async () => {
    await endpoint?.close()
    await server?.close()
  })

  it('has the same result in each check as without the gateway', { timeout: 120_000 }, async () => {
    const direct = await checks(server.url.href, '--requirements', revision)
    const throughGateway = await checks(endpoint.url, '--requirements', revision)
    expect(Object.keys(direct)).toHaveLength(count)
    expect(throughGateway).toEqual(direct)
    expect(endpoint.requests()).toBeGreaterThan(count)
  })
})
