/** A key or token is for one user and its own spaces. Nothing in a request can extend that. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call, LIST, clientFixture } from '../clients.ts'

const on = clientFixture()
let key: string
beforeAll(async () => {
  await on.gateway.connect('south')
  key = (await on.newKey()).key
})

describe('a key', () => {
  it.each([
    ['at the endpoint of another space', () => on.endpoint('south'), {}, LIST],
    ['with another space in a header', () => on.endpoint(), { 'x-space-id': 'south' }, LIST],
    ['with another space in meta', () => on.endpoint(), {}, { ...LIST, meta: { space_id: 'south' } }],
    ['with another space in a header, and none in the path', () => proxy(), { 'x-space-id': 'south' }, LIST],
    ['with another space in meta, and none in the path', () => proxy(), {}, { ...LIST, meta: { space_id: 'south' } }],
    ['with another space in a batch', () => on.endpoint(), {}, [LIST, { ...LIST, meta: { space_id: 'south' } }]],
    ['with another user in a header', () => on.endpoint(), { 'x-user-id': 'ben' }, LIST],
    ['with another user in meta', () => on.endpoint(), {}, { ...LIST, meta: { user_id: 'ben' } }],
  ])('%s is rejected', async (_, url, headers, body) => {
    on.simulator.clearRecorded()
    const response = await call(key, url(), { headers, body })
    expect(response.status).toBe(403)
    expect(response.rpc.error?.data.reason).toBe('forbidden_space')
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('may be sent with the names of its own space and user', async () => {
    const response = await call(key, on.endpoint(), {
      headers: { 'x-space-id': 'north', 'x-user-id': 'ada' },
      body: { ...LIST, meta: { space_id: 'north', user_id: 'ada' } },
    })
    expect(response.status).toBe(200)
  })

  it('does not reveal whether another space exists', async () => {
    const messages = await Promise.all(
      ['south', 'nowhere'].map(async (space) => (await call(key, on.endpoint(space))).rpc.error?.message),
    )
    expect(messages[0]).toBe(messages[1])
  })
})

it('a token for the endpoint of one space with the claim of another is rejected', async () => {
  const token = await on.token('north', { space_id: 'south' })
  expect((await call(token, on.endpoint())).rpc.error?.data.reason).toBe('forbidden_space')
})

it('a key of a space that is not connected gets not_connected', async () => {
  const { key: west } = await on.newKey({ spaceId: 'west' })
  expect((await call(west, on.endpoint('west'))).rpc.error?.data.reason).toBe('not_connected')
})

const proxy = () => `${on.gateway.url}/mcp/notion/proxy`
