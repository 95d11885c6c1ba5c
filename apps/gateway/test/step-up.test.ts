/** Step-up authorization: an MCP server that requires more scopes than the connection has, as Notion never does. */
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { foreignServer, json, redirect, type ForeignServer } from './support/foreign-server.ts'
import { RETURN_BASE, startGateway, type InProcessGateway } from './support/gateway.ts'

let simulator: Simulator
let gateway: InProcessGateway
/** An upstream that requires scopes, and a gateway for it. */
let server: ForeignServer
let other: InProcessGateway
let spaces = 0
const newSpace = () => `step-up-${++spaces}`

beforeAll(async () => {
  simulator = await startSimulator({ options: { autoApprove: true } })
  gateway = await startGateway({ mcpUrl: simulator.mcpUrl })
  server = await foreignServer('127.0.0.1')
  other = await startGateway({ mcpUrl: server.mcpUrl })
})
afterEach(async () => {
  server.reset()
  await simulator.reset()
})
afterAll(async () => {
  await other.stop()
  server.close()
  await gateway.stop()
  await simulator.close()
})

const LIST = { id: 1, method: 'tools/list' }
const refuseFor = (scope: string) => simulator.options.mcpFaults.push({ kind: 'insufficient-scope', scope })
/** A call that lacks this scope. Requests that identify the workspace after a consent may still arrive, and take the fault in its place. */
async function callWithout(scope: string, space: string): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    refuseFor(scope)
    const response = await gateway.call(space, LIST)
    if (response.status === 403 || attempt === 5) return response
  }
}
const askedScope = async (space: string, at = gateway) =>
  new URL((await at.start(space)).authorizeUrl).searchParams.get('scope')

describe('a call with missing scopes', () => {
  it('makes the next consent request them in addition to the earlier ones', async () => {
    const space = newSpace()
    await gateway.connect(space)
    const refused = await callWithout('pages:write', space)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toBeNull()
    expect(await refused.json()).toMatchObject({
      code: 'consent_required',
      detail: expect.stringContaining(`${RETURN_BASE}/?space=${space}`),
    })
    expect(await gateway.connection(space)).toMatchObject({ status: 'connected', consentRequired: true })
    expect(await askedScope(space)).toBe('default pages:write')

    await gateway.connect(space)
    expect(await gateway.connection(space)).not.toHaveProperty('consentRequired')
    expect((await callWithout('comments:write pages:write', space)).status).toBe(403)
    expect(await askedScope(space)).toBe('default pages:write comments:write')
  })

  it('leaves the connection usable for other calls', async () => {
    const space = newSpace()
    await gateway.connect(space)
    expect((await callWithout('pages:write', space)).status).toBe(403)
    expect((await gateway.call(space, LIST)).status).toBe(200)
    expect((await gateway.history(space)).events).toHaveLength(1)
  })

  it('adds to the missing scopes of earlier calls, up to a maximum length', async () => {
    const space = newSpace()
    await gateway.connect(space)
    for (const scope of ['one', 'two', 'x'.repeat(5_000)]) {
      await callWithout(scope, space)
    }
    expect(await askedScope(space)).toBe('default one two')
  })

  it('gets the response of upstream if a consent would not help', async () => {
    const space = newSpace()
    await gateway.connect(space)
    await callWithout('pages:write', space)
    await gateway.connect(space)
    // Requested, but not granted.
    const refused = await callWithout('pages:write', space)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toBeNull()
    expect(await refused.json()).toEqual({
      error: 'insufficient_scope',
      error_description: 'This needs the scope pages:write',
    })
    expect(await gateway.connection(space)).not.toHaveProperty('consentRequired')
  })

  it('gets the response of upstream if that names no scope', async () => {
    const space = newSpace()
    await gateway.connect(space)
    for (const scope of ['', 'default', 'no\u00e4scope']) {
      refuseFor(scope)
      const refused = await gateway.call(space, LIST)
      expect(await refused.json()).toMatchObject({ error: 'insufficient_scope' })
    }
    expect(await askedScope(space)).toBeNull()
  })

  it('is recorded even if a consent without them was already started', async () => {
    const space = newSpace()
    await gateway.connect(space)
    const { authorizeUrl } = await gateway.start(space)
    await callWithout('pages:write', space)
    const consent = await fetch(authorizeUrl, { redirect: 'manual' })
    await fetch(consent.headers.get('location') ?? '', { redirect: 'manual' })
    expect((await gateway.history(space)).events).toHaveLength(2)
    expect(await gateway.connection(space)).toMatchObject({ consentRequired: true })
    expect(await askedScope(space)).toBe('default pages:write')
  })

  it('is recorded together with concurrent ones', async () => {
    const space = newSpace()
    await gateway.connect(space)
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) refuseFor(name)
    await Promise.all(names.map(() => gateway.call(space, LIST)))
    expect((await askedScope(space))?.split(' ').toSorted()).toEqual([...names, 'default'])
  })

  it('keeps the session of a forwarded 403', async () => {
    const space = newSpace()
    await gateway.connect(space)
    server.handlers['/mcp'] = (_req, res) => {
      res.writeHead(403, { 'mcp-session-id': 'a-session', 'www-authenticate': 'Bearer error="insufficient_scope"' })
      res.end('{}')
    }
    await other.connect(space)
    expect((await other.call(space, LIST)).headers.get('mcp-session-id')).toBe('a-session')
    const init = { headers: { 'mcp-session-id': 'a-session' } }
    expect((await other.call(space, LIST, init)).status).toBe(403)
    expect((await other.call(space, LIST, { ...init, user: 'ben' })).status).toBe(404)
  })

  it('causes no further request after the authorization server has rejected the scope', async () => {
    const space = newSpace()
    await other.connect(space)
    server.handlers['/mcp'] = (req, res) => {
      if (!req.headers.authorization) server.usual['/mcp']?.(req, res)
      else json({}, 403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="odd:scope"' })(req, res)
    }
    expect((await other.call(space, LIST)).status).toBe(403)
    expect(await other.connection(space)).toMatchObject({ consentRequired: true })
    server.handlers['/authorize'] = (req, res) => {
      const query = new URL(req.url ?? '', server.origin).searchParams
      if (query.get('scope') === null) return server.usual['/authorize']?.(req, res)
      const back = new URL(query.get('redirect_uri') ?? '')
      back.search = new URLSearchParams({ error: 'invalid_scope', state: query.get('state') ?? '' }).toString()
      redirect(back.href, 302)(req, res)
    }
    expect((await other.authorize(space)).searchParams.get('error')).toBe('invalid_scope')
    expect(await other.connection(space)).not.toHaveProperty('consentRequired')
    await other.connect(space)
    const refused = await other.call(space, LIST)
    expect([refused.status, await refused.text()]).toEqual([403, '{}'])
    await other.connect(space)
  })

  it('never removes scopes of the previous consent', async () => {
    const space = newSpace()
    server.resource['scopes_supported'] = Array.from({ length: 300 }, (_, n) => `scope:number:${n}`)
    await other.connect(space)
    const before = (await askedScope(space, other)) ?? ''
    expect(before.split(' ').length).toBeGreaterThan(200)
    server.handlers['/mcp'] = (req, res) => {
      if (!req.headers.authorization) server.usual['/mcp']?.(req, res)
      else
        json({}, 403, { 'www-authenticate': `Bearer error="insufficient_scope", scope="${'w'.repeat(500)}"` })(req, res)
    }
    const refused = await other.call(space, LIST)
    expect([refused.status, await refused.text()]).toEqual([403, '{}'])
    expect(await askedScope(space, other)).toBe(before)
  })

  it('is deleted with the connection', async () => {
    const space = newSpace()
    await gateway.connect(space)
    await callWithout('pages:write', space)
    await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    expect(await askedScope(space)).toBeNull()
  })

  it('never adds to the scope of the settings', async () => {
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
