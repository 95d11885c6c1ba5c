/** A key or token is for one space and one person. Nothing in a request makes it good for more. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call, LIST, scene } from '../clients.ts'

const on = scene()
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
    ['with another space in a header, where the address names none', () => proxy(), { 'x-space-id': 'south' }, LIST],
    [
      'with another space in meta, where the address names none',
      () => proxy(),
      {},
      { ...LIST, meta: { space_id: 'south' } },
    ],
    ['with another space in a batch', () => on.endpoint(), {}, [LIST, { ...LIST, meta: { space_id: 'south' } }]],
    ['with another person in a header', () => on.endpoint(), { 'x-user-id': 'ben' }, LIST],
    ['with another person in meta', () => on.endpoint(), {}, { ...LIST, meta: { user_id: 'ben' } }],
  ])('%s is refused', async (_, url, headers, body) => {
    on.simulator.clearRecorded()
    const answer = await call(key, url(), { headers, body })
    expect(answer.status).toBe(403)
    expect(answer.rpc.error?.data.reason).toBe('forbidden_space')
    expect(answer.headers.get('www-authenticate')).toBeNull()
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('may say again what it is for', async () => {
    const answer = await call(key, on.endpoint(), {
      headers: { 'x-space-id': 'north', 'x-user-id': 'ada' },
      body: { ...LIST, meta: { space_id: 'north', user_id: 'ada' } },
    })
    expect(answer.status).toBe(200)
  })

  it('does not tell whether another space exists', async () => {
    const messages = await Promise.all(
      ['south', 'nowhere'].map(async (space) => (await call(key, on.endpoint(space))).rpc.error?.message),
    )
    expect(messages[0]).toBe(messages[1])
  })
})

it('a token for the endpoint of one space that says another is refused', async () => {
  const token = await on.token('north', { space_id: 'south' })
  expect((await call(token, on.endpoint())).rpc.error?.data.reason).toBe('forbidden_space')
})

it('a key of a space that is not connected reaches nothing', async () => {
  const { key: west } = await on.newKey({ spaceId: 'west' })
  expect((await call(west, on.endpoint('west'))).rpc.error?.data.reason).toBe('not_connected')
})

const proxy = () => `${on.gateway.url}/mcp/notion/proxy`
