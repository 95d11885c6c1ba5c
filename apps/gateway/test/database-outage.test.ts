/** An outage of the database while a code is redeemed: the code is spent, so its tokens must not be lost. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testDatabase } from '@nmg/process/testing'
import { startSimulator } from 'notion-simulator'
import { expect, it } from 'vitest'
import { databaseLine } from './refresh/database-line.ts'
import { startGateway } from './support/gateway.ts'

it.each(['cut', 'hold'] as const)('stores a consent after an outage of the database (%s)', async (outage) => {
  const notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null } })
  const line = await databaseLine((await testDatabase()).url)
  let isDue = false
  /** At the second consent, the database is unavailable when the tokens arrive. */
  const endpoint = createServer(async (req, res) => {
    const body = await new Response(req as never).text()
    const response = await fetch(`${notion.url}/token`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    const text = await response.text()
    if (isDue) {
      line[outage]()
      setTimeout(line.heal, 1_500)
    }
    res.writeHead(response.status, { 'content-type': 'application/json' }).end(text)
  }).listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  const gateway = await startGateway({
    mcpUrl: notion.mcpUrl,
    databaseUrl: line.url,
    env: {
      NOTION_MCP_TOKEN_ENDPOINT: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`,
      SHUTDOWN_GRACE_SECONDS: '0',
    },
  })
  try {
    await gateway.connect('north')
    isDue = true
    const back = await gateway.authorize('north', { user: 'ben' })
    expect(back.searchParams.get('status')).toBe('success')
    expect(await gateway.connection('north')).toMatchObject({ status: 'connected', connectedBy: 'ben' })
  } finally {
    await gateway.stop()
    endpoint.close()
    await line.close()
    await notion.close()
  }
})
