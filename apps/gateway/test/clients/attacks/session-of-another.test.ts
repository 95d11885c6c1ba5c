/** Upstream sees one connection per space, so only the gateway can keep clients out of each other's MCP sessions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SERVICE_TOKEN, type InProcessGateway } from '../../support/gateway.ts'
import { call, initialize, LIST, clientFixture } from '../clients.ts'

const on = clientFixture()
let replica: InProcessGateway
let session: string
let owner: string
let ownersKey: string

beforeAll(async () => {
  on.simulator.setOptions({ sessions: 'required', getStream: true })
  replica = await on.replica()
  await on.gateway.connect('south')
  owner = (await on.newKey()).id
  const { key } = await on.newKey()
  ownersKey = key
  const opened = await call(key, on.endpoint(), { body: initialize() })
  session = opened.headers.get('mcp-session-id') ?? ''
  if (session === '') throw new Error('The server opened no session.')
})
afterAll(() => replica.stop())

const headers = () => ({ 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' })

const others: [string, () => Promise<string>, string?][] = [
  ['another user of the space', async () => (await on.newKey({}, 'ben')).key],
  ['the same user with another key', async () => (await on.newKey()).key],
  ['the same user with an OAuth client', () => on.token()],
  ['an OAuth client whose client id imitates the key', () => on.token('north', { client_id: `key ${owner}` })],
  ['another space', async () => (await on.newKey({ spaceId: 'south' })).key, 'south'],
]

describe.each(['at the same gateway', 'at another replica'])('an MCP session %s', (where) => {
  const endpoint = (space?: string) => on.endpoint(space, where === 'at the same gateway' ? on.gateway : replica)

  it('serves the client that opened it', async () => {
    expect((await call(ownersKey, endpoint(), { headers: headers(), body: LIST })).status).toBe(200)
  })

  it.each(others)('does not exist for %s', async (_, credential, space) => {
    on.simulator.clearRecorded()
    const key = await credential()
    for (const method of ['POST', 'GET', 'DELETE']) {
      const response = await call(key, endpoint(space), { method, headers: { ...headers(), 'last-event-id': '1' } })
      expect(response.status).toBe(404)
      expect(response.rpc.error?.data.reason).toBe('unknown_session')
      if (method === 'POST') expect(response.rpc.id).toBe('a-list')
      else expect(response.rpc).not.toHaveProperty('id')
    }
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('does not exist for an application that acts for the same user', async () => {
    const response = await fetch(endpoint(), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${SERVICE_TOKEN}`,
        'x-user-id': 'ada',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers(),
      },
      body: JSON.stringify(LIST),
    })
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })

  it('gets the same error as a session that never existed', async () => {
    const { key } = await on.newKey({}, 'ben')
    const text = async (id: string) => {
      const { rpc } = await call(key, endpoint(), { headers: { ...headers(), 'mcp-session-id': id } })
      return rpc.error?.message
    }
    expect(await text(session)).toBe(await text('never-was'))
  })
})

it('a session that its client has deleted does not exist for it either', async () => {
  const { key } = await on.newKey()
  const opened = await call(key, on.endpoint(), { body: initialize() })
  const sessionHeaders = {
    'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
    'mcp-protocol-version': '2025-11-25',
  }
  expect((await call(key, on.endpoint(), { method: 'DELETE', headers: sessionHeaders })).status).toBeLessThan(300)
  expect((await call(key, on.endpoint(), { headers: sessionHeaders })).status).toBe(404)
})
