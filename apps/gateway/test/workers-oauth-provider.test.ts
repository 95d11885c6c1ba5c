/** A whole gateway against the library that Notion's server uses, in this process. */
import { startWorkersOAuthProvider, type WorkersOAuthProvider } from 'notion-simulator/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { REFRESH_TIMES } from '../src/connections/refresh-schedule.ts'
import { startGateway, type InProcessGateway } from './support/gateway.ts'

let notion: WorkersOAuthProvider
let gateway: InProcessGateway
let replica: InProcessGateway

beforeAll(async () => {
  notion = await startWorkersOAuthProvider()
  const times = { ...REFRESH_TIMES, silencePauseMs: 300, propagationPauseMs: 100 }
  const options = { mcpUrl: notion.mcpUrl, faults: { times } }
  gateway = await startGateway(options)
  replica = await startGateway({ ...options, databaseUrl: gateway.databaseUrl })
})
afterAll(async () => {
  await Promise.all([gateway.stop(), replica.stop()])
  await notion.close()
})

let spaces = 0
let space: string
/** Connects a space for each test and clears the recorded requests. */
beforeEach(async () => {
  space = `space-${++spaces}`
  await gateway.connect(space)
  notion.requests.length = 0
})

const list = { id: 1, method: 'tools/list' }
const status = async (at = gateway) => (await at.call(space, list)).status
const tokenRequests = () => notion.requests.filter((request) => request.startsWith('POST /token'))
const REFRESH = 'POST /token refresh_token'

describe('a connection to the library that Notion uses', () => {
  it('knows its workspace, lists tools and calls one', async () => {
    await expect.poll(() => gateway.connection(space)).toMatchObject({ status: 'connected', workspaceName: 'Acme' })
    const response = await (await gateway.call(space, list)).json()
    expect(response).toMatchObject({ result: { tools: [{ name: 'notion-fetch' }, { name: 'notion-search' }] } })
    const result = await gateway.callTool(space, 'notion-search', { query: 'plan' })
    expect(result.content[0]?.text).toContain('plan')
    expect(tokenRequests()).toEqual([])
  })

  it('refreshes once for each expired access token', async () => {
    for (const refreshes of [1, 2]) {
      notion.expireAccessTokens()
      expect(await status()).toBe(200)
      expect(tokenRequests()).toHaveLength(refreshes)
    }
    expect(new Set(tokenRequests())).toEqual(new Set([REFRESH]))
  })

  it('refreshes once for 40 calls at the same time on two replicas, and once more for the next 40', async () => {
    for (const refreshes of [1, 2]) {
      notion.expireAccessTokens()
      const statuses = await Promise.all(Array.from({ length: 40 }, (_, i) => status(i % 2 ? gateway : replica)))
      expect(new Set(statuses)).toEqual(new Set([200]))
      expect(tokenRequests()).toHaveLength(refreshes)
    }
  })

  it('survives the loss of a token response, and the next refresh', async () => {
    notion.expireAccessTokens()
    notion.loseNextResponse('refresh_token')
    await expect.poll(() => status()).toBe(200)
    expect(tokenRequests()).toEqual([REFRESH, REFRESH])
    notion.expireAccessTokens()
    expect(await status()).toBe(200)
    expect(await gateway.connection(space)).toMatchObject({ status: 'connected' })
  })

  it('requires a reconnect after its grant was revoked, sends no further requests, and works after the reconnect', async () => {
    await notion.revokeGrants()
    const refused = await gateway.call(space, list)
    expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'reconnect_required' }])
    expect(await gateway.connection(space)).toMatchObject({ status: 'reconnect_required', reason: 'revoked' })
    expect([await status(), await status(replica)]).toEqual([401, 401])
    expect(tokenRequests()).toEqual([REFRESH])

    await gateway.connect(space)
    expect(await status()).toBe(200)
    notion.expireAccessTokens()
    expect(await status()).toBe(200)
  })

  it('can be reconnected while it is connected', async () => {
    await gateway.connect(space)
    expect(await status()).toBe(200)
    notion.expireAccessTokens()
    expect(await status()).toBe(200)
  })

  it('leaves no token at the server after a disconnect', async () => {
    await notion.revokeGrants()
    await gateway.connect(space)
    expect(grants()).toHaveLength(2)
    const receipt = await (await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })).json()
    expect(receipt).toMatchObject({ status: 'disconnected', changed: true, revocation: 'revoked' })
    expect(grants()).toEqual([])
    expect(await status()).toBe(404)
  })
})

/** Numbers of grants and access tokens at the server. */
const grants = () => notion.keys().filter((key) => /^(grant|token):/.test(key))
