import { Connection, History } from '@nmg/contract'
import { startSimulator, type Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from './support/gateway.ts'

let simulator: Simulator
let gateway: InProcessGateway
let database: Client
let now = Date.now()
let spaces = 0
const newSpace = () => `waiting-${++spaces}`

beforeAll(async () => {
  simulator = await startSimulator()
  gateway = await startGateway({ mcpUrl: simulator.mcpUrl, clock: () => new Date(now) })
  database = new Client({ connectionString: gateway.databaseUrl })
  await database.connect()
})
afterEach(() => {
  now = Date.now()
  return simulator.reset()
})
afterAll(async () => {
  await database?.end()
  await gateway.stop()
  await simulator.close()
})

/** A consent for this workspace, requested with confirmation of workspace changes. */
async function consent(space: string, workspace: string, confirm: '0' | '1' = '1'): Promise<Record<string, string>> {
  // Both grants are valid at the same time, as those of two workspaces are.
  simulator.setOptions({ autoApprove: { workspace }, revokeExistingGrants: 'same-user-and-workspace' })
  const { authorizeUrl } = await gateway.start(space, { confirm_workspace: confirm })
  const consentPage = await fetch(authorizeUrl, { redirect: 'manual' })
  const callback = await fetch(consentPage.headers.get('location') ?? '', { redirect: 'manual' })
  return Object.fromEntries(new URL(callback.headers.get('location') ?? '').searchParams)
}

const decide = (space: string, decision: object, user?: string | null) =>
  gateway.fetch(`/integrations/notion/${space}/waiting`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(decision),
    ...(user === undefined ? {} : { user }),
  })

const described = async (space: string) => Connection.parse(await gateway.connection(space))

/** The workspace of a call. */
async function reached(space: string): Promise<string | undefined> {
  const result = await gateway.callTool(space, 'notion-fetch', { id: 'self' })
  const text = result.content.map((each) => each.text).join()
  return simulator.workspaces.find(({ name }) => text.includes(name))?.name
}

/** A space connected with Acme that has a pending consent for Northwind. */
async function waitingSpace() {
  const space = newSpace()
  await consent(space, 'Acme')
  expect(await consent(space, 'Northwind')).toMatchObject({ status: 'success', mcp: 'confirmation_required' })
  const { waiting } = await described(space)
  return { space, id: waiting?.id ?? '' }
}

describe('a consent for another workspace', () => {
  it('is pending while calls use the previous workspace', async () => {
    const { space } = await waitingSpace()
    const connection = await described(space)
    expect(connection).toMatchObject({
      status: 'connected',
      workspaceName: 'Acme',
      waiting: { workspaceName: 'Northwind', by: 'ada' },
    })
    expect(await reached(space)).toBe('Acme')
    expect(History.parse(await gateway.history(space)).events).toHaveLength(1)
  })

  it('is used after a user confirms it, which the history shows', async () => {
    const { space, id } = await waitingSpace()
    const response = await decide(space, { id, accept: true }, 'ben')
    const connection = Connection.parse(await response.json())
    expect(connection).toMatchObject({ status: 'connected', workspaceName: 'Northwind', connectedBy: 'ada' })
    expect(connection.waiting).toBeUndefined()
    expect(await reached(space)).toBe('Northwind')
    expect(History.parse(await gateway.history(space)).events[0]).toMatchObject({
      version: 2,
      type: 'NotionIntegrationAuthorized',
      by: 'ada',
      confirmedBy: 'ben',
    })
  })

  it('is refreshed like any other after the confirmation', async () => {
    const { space, id } = await waitingSpace()
    await decide(space, { id, accept: true })
    simulator.admin.expireAccessTokens()
    expect(await reached(space)).toBe('Northwind')
    expect((await described(space)).lastRefreshedAt).toBeDefined()
  })

  it('is dropped when a user declines it', async () => {
    const { space, id } = await waitingSpace()
    expect((await decide(space, { id, accept: false })).status).toBe(200)
    expect(await described(space)).toMatchObject({ status: 'connected', workspaceName: 'Acme' })
    expect((await described(space)).waiting).toBeUndefined()
    expect(await reached(space)).toBe('Acme')
    expect((await decide(space, { id, accept: true })).status).toBe(404)
  })

  it('is revoked when it is declined and the connection has no grant', async () => {
    const { space } = await waitingSpace()
    simulator.admin.revokeGrants({ workspaceId: simulator.workspaces.find(({ name }) => name === 'Acme')?.id ?? '' })
    await gateway.call(space, { id: 1, method: 'tools/list' })
    const { status, waiting } = await described(space)
    expect(status).toBe('reconnect_required')
    await decide(space, { id: waiting?.id, accept: false })
    expect(simulator.admin.grants().map((grant) => grant.status)).toEqual(['revoked', 'revoked'])
  })

  it('is pending even if the previous grant is lost', async () => {
    const space = newSpace()
    await consent(space, 'Acme')
    simulator.admin.revokeGrants()
    await gateway.call(space, { id: 1, method: 'tools/list' })
    expect(await consent(space, 'Northwind')).toMatchObject({ mcp: 'confirmation_required' })
    expect((await gateway.call(space, { id: 2, method: 'tools/list' })).status).toBe(401)
    const { waiting } = await described(space)
    await decide(space, { id: waiting?.id, accept: true })
    expect(await reached(space)).toBe('Northwind')
  })

  it.each([
    ['the same workspace', 'Acme', '1'],
    ['another one, for an application that does not ask for confirmation', 'Northwind', '0'],
  ] as const)('needs no confirmation for %s', async (_, workspace, confirm) => {
    const space = newSpace()
    await consent(space, 'Acme')
    expect(await consent(space, workspace, confirm)).toMatchObject({ mcp: 'connected' })
    expect(await reached(space)).toBe(workspace)
  })

  it('needs no confirmation if the space is not connected', async () => {
    const space = newSpace()
    expect(await consent(space, 'Acme')).toMatchObject({ mcp: 'connected' })
    await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    expect(await consent(space, 'Northwind')).toMatchObject({ mcp: 'connected' })
    expect(await reached(space)).toBe('Northwind')
  })

  it('is decided once by the first user', async () => {
    const { space, id } = await waitingSpace()
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async () => (await decide(space, { id, accept: true })).status),
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 404)).toHaveLength(5)
    expect(History.parse(await gateway.history(space)).events).toHaveLength(2)
  })

  it('is replaced by the next one and dropped by a consent for the old workspace or a disconnect', async () => {
    const { space, id } = await waitingSpace()
    await consent(space, 'Northwind')
    const second = (await described(space)).waiting?.id
    expect(second).not.toBe(id)
    expect((await decide(space, { id, accept: true })).status).toBe(404)
    await consent(space, 'Acme')
    expect((await described(space)).waiting).toBeUndefined()
    await consent(space, 'Northwind')
    const third = (await described(space)).waiting?.id
    await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    expect((await decide(space, { id: third, accept: true })).status).toBe(404)
  })

  it('cannot be confirmed after a day', async () => {
    const { space, id } = await waitingSpace()
    now += 24 * 3_600_000 + 1
    expect((await described(space)).waiting).toBeUndefined()
    expect((await decide(space, { id, accept: true })).status).toBe(404)
    now = Date.now()
    expect((await decide(space, { id, accept: true })).status).toBe(404)
  })

  it('can only be decided for a named user and its own space', async () => {
    const { space, id } = await waitingSpace()
    const other = await waitingSpace()
    expect((await decide(space, { id, accept: true }, null)).status).toBe(401)
    expect((await decide(space, { id: other.id, accept: true })).status).toBe(404)
    expect((await decide(newSpace(), { id, accept: true })).status).toBe(404)
    expect((await decide(space, { id, accept: 'yes' })).status).toBe(400)
    expect((await decide(space, { id: 'x', accept: true })).status).toBe(400)
    expect(await reached(space)).toBe('Acme')
  })

  it('is stored sealed and never shows a secret', async () => {
    const { space } = await waitingSpace()
    const { rows } = await database.query<{ waiting: { sealed: string } }>(
      'select waiting from gateway.connections where space_id = $1',
      [space],
    )
    const grants = JSON.stringify(rows)
    for (const { value } of simulator.admin.issuedSecrets()) expect(grants).not.toContain(value)
    const seen = JSON.stringify([await gateway.connection(space), await gateway.history(space), gateway.logs()])
    expect(seen).not.toContain(rows[0]?.waiting.sealed)
  })
})
