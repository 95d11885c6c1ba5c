/** Authorizations abandoned at every possible point: the next one succeeds without an operator. */
import { BINDING_COOKIE } from '@nmg/contract'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClient } from './support/fixed-client.ts'
import { startGateway, type InProcessGateway } from './support/gateway.ts'

let notion: Simulator
let gateway: InProcessGateway
let spaces = 0
const newSpace = () => `space-${++spaces}`

beforeAll(async () => {
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null } })
  gateway = await startGateway({ mcpUrl: notion.mcpUrl })
})
afterAll(async () => {
  await gateway.stop()
  await notion.close()
})

const list = { id: 1, method: 'tools/list' }
const callback = (url: string, binding?: string) =>
  fetch(url, { redirect: 'manual', headers: binding === undefined ? {} : { cookie: `${BINDING_COOKIE}=${binding}` } })

/** Opens Notion's consent page, which approves automatically, and returns the URL of its redirect. */
async function allowed(authorizeUrl: string): Promise<string> {
  const page = await fetch(authorizeUrl, { redirect: 'manual' })
  return page.headers.get('location') as string
}

/** The points at which an authorization is abandoned. */
const points: Record<string, (space: string) => Promise<void>> = {
  async 'before the consent page is opened'(space) {
    await gateway.start(space)
  },
  async 'at the consent page'(space) {
    notion.setOptions({ autoApprove: false })
    expect((await fetch((await gateway.start(space)).authorizeUrl)).status).toBe(200)
    notion.setOptions({ autoApprove: true })
  },
  async 'after it was declined'(space) {
    const { authorizeUrl } = await gateway.start(space)
    const back = new URL(await allowed(authorizeUrl))
    back.searchParams.delete('code')
    back.searchParams.set('error', 'access_denied')
    expect((await callback(back.href)).headers.get('location')).toContain('error=access_denied')
  },
  async 'before the browser comes back'(space) {
    await allowed((await gateway.start(space)).authorizeUrl)
  },
  async 'in another browser'(space) {
    const { authorizeUrl } = await gateway.start(space, { binding: 'mine' })
    const back = await callback(await allowed(authorizeUrl), 'another')
    expect(back.headers.get('location')).toContain('error=wrong_browser')
  },
  async 'when the code cannot be redeemed'(space) {
    notion.setOptions({ tokenResponse: { status: 503, on: 'authorization_code', times: 1 } })
    expect((await gateway.authorize(space)).searchParams.get('error')).toBe('authorization_unavailable')
  },
}

describe('an authorization abandoned', () => {
  describe.each(['a new space', 'a connected space', 'a space whose grant was revoked', 'a disconnected space'])(
    'of %s',
    (kind) => {
      it.each(Object.keys(points))(
        '%s does not prevent the next one, even after Notion has deleted all registrations',
        async (point) => {
          const space = newSpace()
          if (kind !== 'a new space') await gateway.connect(space)
          if (kind === 'a space whose grant was revoked') {
            notion.admin.revokeGrants()
            expect((await gateway.call(space, list)).status).toBe(401)
          }
          if (kind === 'a disconnected space')
            await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })

          await points[point]?.(space)
          notion.admin.forgetClients()
          await gateway.connect(space)
          expect((await gateway.call(space, list)).status).toBe(200)
        },
      )
    },
  )

  it('leaves the connection of a space unchanged', async () => {
    const space = newSpace()
    await gateway.connect(space)
    for (const point of Object.values(points)) await point(space)
    expect((await gateway.call(space, list)).status).toBe(200)
    expect(await gateway.connection(space)).toMatchObject({ status: 'connected', connectedBy: 'ada' })
  })
})

describe('a client registration', () => {
  it('happens once per consent and at most ten times per hour and space, then fails with Retry-After', async () => {
    const space = newSpace()
    notion.clearRecorded()
    for (let i = 0; i < 10; i++) await gateway.start(space)
    const refused = await gateway.fetch(`/integrations/notion/oauth/mcp/start?space_id=${space}`)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500)
    expect(await refused.json()).toMatchObject({ code: 'rate_limited' })
    expect(notion.recorded.registrations).toHaveLength(10)
    // Other spaces are not affected.
    await gateway.connect(newSpace())
  })

  it('that fails does not count, so that users can connect after an outage of Notion', async () => {
    const space = newSpace()
    for (const registrationResponse of [{ status: 503 }, { status: 400, error: 'invalid_redirect_uri' }]) {
      notion.setOptions({ registrationResponse })
      for (let i = 0; i < 6; i++) {
        const refused = await gateway.fetch(`/integrations/notion/oauth/mcp/start?space_id=${space}`)
        expect(await refused.json()).toMatchObject({ code: expect.stringMatching(/^authorization_/) })
      }
    }
    notion.setOptions({ registrationResponse: null })
    await gateway.connect(space)
  })

  it('is counted for each of many concurrent authorizations', async () => {
    const space = newSpace()
    const responses = await Promise.all(
      Array.from({ length: 25 }, () => gateway.fetch(`/integrations/notion/oauth/mcp/start?space_id=${space}`)),
    )
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(10)
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(15)
  })
})

describe('two users who reconnect in turn', () => {
  it('revoke the previous grant and never the current one', async () => {
    const space = newSpace()
    const before = notion.admin.grants().length
    for (const user of ['ada', 'ben', 'ada', 'ben']) {
      await gateway.connect(space, user)
      expect((await gateway.call(space, list)).status).toBe(200)
    }
    expect(
      notion.admin
        .grants()
        .slice(before)
        .map(({ status }) => status),
    ).toEqual(['revoked', 'revoked', 'revoked', 'active'])
    const receipt = await (await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })).json()
    expect(receipt).toMatchObject({ revocation: 'revoked' })
    expect(receipt).not.toHaveProperty('unrevokedConsents')
    expect(notion.admin.grants().at(-1)?.status).toBe('revoked')
  })

  it('learn about a failed revocation and the number of remaining consents', async () => {
    const space = newSpace()
    await gateway.connect(space)
    notion.setOptions({ revocationResponse: { status: 503, times: 1 } })
    const back = await gateway.authorize(space, { user: 'ben' })
    expect(back.searchParams.get('previousConsent')).toBe('failed')
    expect(await gateway.connection(space)).toMatchObject({ unrevokedConsents: 1 })
    await gateway.connect(space, 'ada')
    expect(await gateway.connection(space)).toMatchObject({ unrevokedConsents: 1 })
    const receipt = await (await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })).json()
    expect(receipt).toMatchObject({ revocation: 'revoked', unrevokedConsents: 1 })
    await gateway.connect(space)
    expect(await gateway.connection(space)).not.toHaveProperty('unrevokedConsents')
  })

  it('keep the old grant of a fixed client, which the callback reports', async () => {
    const fixed = await startGateway({ mcpUrl: notion.mcpUrl, env: { ...(await fixedClient(notion)) } })
    try {
      await fixed.connect('north')
      const back = await fixed.authorize('north', { user: 'ben' })
      expect(back.searchParams.get('previousConsent')).toBe('kept')
      expect(await fixed.connection('north')).toMatchObject({ unrevokedConsents: 1 })
      expect((await fixed.call('north', list)).status).toBe(200)
      // No client is registered, so none is counted.
      for (let i = 0; i < 12; i++) await fixed.start('north')
      const receipt = await (await fixed.fetch('/integrations/notion/north', { method: 'DELETE' })).json()
      expect(receipt).toMatchObject({ unrevokedConsents: 1 })
    } finally {
      await fixed.stop()
    }
  })

  it('keep the old grant if the server returns the same client to all, which the callback reports', async () => {
    const shared = new URL((await gateway.start(newSpace())).authorizeUrl).searchParams.get('client_id')
    notion.setOptions({ registrationResponse: { with: { client_id: shared } } })
    const space = newSpace()
    await gateway.connect(space)
    const back = await gateway.authorize(space, { user: 'ben' })
    notion.setOptions({ registrationResponse: null })
    expect(back.searchParams.get('previousConsent')).toBe('kept')
    expect(await gateway.connection(space)).toMatchObject({ unrevokedConsents: 1 })
    expect((await gateway.call(space, list)).status).toBe(200)
    const receipt = await (await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })).json()
    expect(receipt).toMatchObject({ unrevokedConsents: 1 })
  })
})
