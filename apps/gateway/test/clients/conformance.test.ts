/** The official conformance suite at the endpoint of a space: a client with a key must not notice that a gateway is in between. */
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
  /** The endpoint of a space, with a key added to whatever comes. */
  readonly url: string
  requests(): number
  close(): Promise<void>
}

/** The gateway's HTTP side with all that it has for clients, in front of an MCP server that wants no OAuth. */
async function endpointOf(upstreamUrl: URL): Promise<Endpoint> {
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
  const gateway = createGatewayServer(proxy, app as never, log, clients.answerBrowser).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  const base = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const created = await fetch(`${base}/access/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SERVICE_TOKEN}`, 'x-user-id': 'ada' },
    body: JSON.stringify({ spaceId: 'north', scope: 'notion:write', name: 'suite' }),
  })
  const { key } = (await created.json()) as { key: string }

  // The suite cannot be told a header, so whoever comes here has the key.
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
    endpoint = await endpointOf(server.url)
  })
  afterAll(async () => {
    await endpoint?.close()
    await server?.close()
  })

  it('differs in no check for a client with a key', async () => {
    const direct = await checks(server.url.href, '--requirements', revision)
    const behind = await checks(endpoint.url, '--requirements', revision)
    expect(Object.keys(direct)).toHaveLength(count)
    expect(behind).toEqual(direct)
    expect(endpoint.requests()).toBeGreaterThan(count)
  })
})
