/** An MCP server that asks for more permissions than the connection has. Notion has none to ask for; other servers do. */
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RETURN_BASE, startGateway, type InProcessGateway } from './support/gateway.ts'

let simulator: Simulator
let gateway: InProcessGateway
let spaces = 0
const newSpace = () => `step-up-${++spaces}`

beforeAll(async () => {
  simulator = await startSimulator({ knobs: { autoApprove: true } })
  gateway = await startGateway({ mcpUrl: simulator.mcpUrl })
})
afterEach(() => simulator.reset())
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
})

const LIST = { id: 1, method: 'tools/list' }
const refuseFor = (scope: string) => simulator.knobs.mcpFaults.push({ kind: 'insufficient-scope', scope })
const askedScope = async (space: string, at = gateway) =>
  new URL((await at.start(space)).authorizeUrl).searchParams.get('scope')

describe('a call that is refused for want of a scope', () => {
  it('leads to a consent that asks for it, and for all that was asked for before', async () => {
    const space = newSpace()
    await gateway.connect(space)
    refuseFor('pages:write')
    const refused = await gateway.call(space, LIST)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toBeNull()
    expect(await refused.json()).toMatchObject({
      code: 'consent_required',
      detail: expect.stringContaining(`${RETURN_BASE}/?space=${space}`),
    })
    expect(await gateway.connection(space)).toMatchObject({ status: 'connected', consentRequired: true })
    expect(await askedScope(space)).toBe('pages:write')

    await gateway.connect(space)
    expect(await gateway.connection(space)).not.toHaveProperty('consentRequired')
    refuseFor('comments:write pages:write')
    expect((await gateway.call(space, LIST)).status).toBe(403)
    expect(await askedScope(space)).toBe('pages:write comments:write')
  })

  it('leaves the connection in use for all that it is good for', async () => {
    const space = newSpace()
    await gateway.connect(space)
    refuseFor('pages:write')
    expect((await gateway.call(space, LIST)).status).toBe(403)
    expect((await gateway.call(space, LIST)).status).toBe(200)
    expect((await gateway.history(space)).events).toHaveLength(1)
  })

  it('adds up what several calls lacked, up to a length that anybody means', async () => {
    const space = newSpace()
    await gateway.connect(space)
    for (const scope of ['one', 'two', 'x'.repeat(3_000)]) {
      refuseFor(scope)
      await gateway.call(space, LIST)
    }
    expect(await askedScope(space)).toBe('one two')
  })

  it('comes to the caller as upstream said it where a consent would bring nothing', async () => {
    const space = newSpace()
    await gateway.connect(space)
    refuseFor('pages:write')
    await gateway.call(space, LIST)
    await gateway.connect(space)
    // Asked for, and not granted.
    refuseFor('pages:write')
    const refused = await gateway.call(space, LIST)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toBeNull()
    expect(await refused.json()).toEqual({
      error: 'insufficient_scope',
      error_description: 'This needs the scope pages:write',
    })
    expect(await gateway.connection(space)).not.toHaveProperty('consentRequired')
  })

  it('comes as upstream said it when it names nothing that could be asked for', async () => {
    const space = newSpace()
    await gateway.connect(space)
    for (const scope of ['', 'default', 'not\\a\\scope']) {
      refuseFor(scope)
      const refused = await gateway.call(space, LIST)
      expect(await refused.json()).toMatchObject({ error: 'insufficient_scope' })
    }
    expect(await askedScope(space)).toBeNull()
  })

  it('is forgotten with the connection', async () => {
    const space = newSpace()
    await gateway.connect(space)
    refuseFor('pages:write')
    await gateway.call(space, LIST)
    await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    expect(await askedScope(space)).toBeNull()
  })

  it('asks nobody for more than the operator has said', async () => {
    const fixed = await startGateway({
      mcpUrl: simulator.mcpUrl,
      databaseUrl: gateway.databaseUrl,
      env: { NOTION_MCP_TOKEN_SCOPE: 'pages:read' },
    })
    try {
      const space = newSpace()
      await fixed.connect(space)
      refuseFor('pages:write')
      expect(await (await fixed.call(space, LIST)).json()).toMatchObject({ error: 'insufficient_scope' })
      expect(await askedScope(space, fixed)).toBe('pages:read')
    } finally {
      await fixed.stop()
    }
  })
})
