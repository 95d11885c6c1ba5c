/**
 * Responses of authorization servers that nobody expects, made by a generator: each member × each way to spoil it × status × form, against a server
 * whose refresh tokens are good for exactly one use. Whenever the server issued usable tokens the connection goes on working by itself; whenever
 * the grant is dead, a person is asked to reconnect.
 */
import type { Connection } from '@nmg/contract'
import { type Simulator, startSimulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REFRESH_TIMES } from '../../src/domain/refresh-schedule.ts'
import { type InProcessGateway, startGateway } from '../support/gateway.ts'

type Options = NonNullable<Parameters<Simulator['setOptions']>[0]>
type Shape = NonNullable<Options['tokenResponse']>

const MEMBERS = [
  'access_token',
  'refresh_token',
  'token_type',
  'expires_in',
  'scope',
  'resource',
  'workspace_id',
  'error',
]
const SPOILED: Record<string, (name: string) => Shape> = {
  absent: (name) => ({ without: [name] }),
  null: (name) => ({ with: { [name]: null } }),
  empty: (name) => ({ with: { [name]: '' } }),
  'of another type': (name) => ({ with: { [name]: { a: [1] } } }),
  large: (name) => ({ large: { [name]: 5_000 } }),
  repeated: (name) => ({ repeated: [name] }),
}
const FORMS: Record<string, Shape> = {
  JSON: {},
  'JSON as text/plain': { contentType: 'text/plain' },
  'JSON without a type': { contentType: '' },
  'form-encoded': { format: 'form' },
}

/** Ways in which no token of the response can be used, although the server has rotated. */
const LOST: Shape[] = [
  { status: 400 },
  { status: 403, without: ['error'] },
  { status: 500 },
  { status: 503, contentType: 'text/html' },
  { status: 302, location: 'https://elsewhere.example/' },
  { without: ['access_token', 'refresh_token'] },
  { with: { access_token: null, refresh_token: 7 } },
  { format: 'html' },
  { body: '{"access_token":"a' },
  { wrapIn: 'data' },
  { paddingBytes: 300 * 1024 },
].map((shape) => ({ ...shape, applied: true }))

/** Ways in which servers say that the grant is gone. */
const REFUSALS: Shape[] = [
  ...[400, 401, 403, 409].map((status) => ({ status, error: 'invalid_grant' })),
  ...['text/plain', 'text/html', ''].map((contentType) => ({ contentType, error: 'invalid_grant' })),
  { error: 'INVALID_GRANT' },
  { error: 'bad_refresh_token' },
  { error: 'invalid_request' },
  { error: 'access_denied', status: 403 },
  { error: 'something_new' },
  { status: 400, with: { error: { code: 'invalid_grant' } } },
  { status: 400, with: { error: null } },
  { status: 500, error: 'invalid_grant' },
  { status: 401, format: 'html' },
]

const list = { id: 1, method: 'tools/list' }
// No pauses for what the simulator does not do: it never carries out later what it was asked.
const times = { ...REFRESH_TIMES, settlingMs: 0, repeatPauseMs: 10 }

let notion: Simulator
let gateway: InProcessGateway
let spaces = 0
const newSpace = () => `space-${++spaces}`

beforeAll(async () => {
  notion = await startSimulator({
    options: { autoApprove: true, rateLimitPerMinute: null, singleUseRefreshTokens: true },
  })
  gateway = await startGateway({ mcpUrl: notion.mcpUrl, faults: { times }, env: { SHUTDOWN_GRACE_SECONDS: '0' } })
})
afterAll(async () => {
  await gateway.stop()
  await notion.close()
})

const statusOf = async (space: string) => (await gateway.call(space, list)).status

/** Has the next refresh answered in this shape, and makes the space need one. */
async function refreshOnce(space: string, tokenResponse: Shape): Promise<void> {
  notion.admin.expireAccessTokens()
  notion.setOptions({ tokenResponse: { ...tokenResponse, on: 'refresh_token', times: 1 } })
  await gateway.call(space, list)
  expect(notion.options.tokenResponse).toBeNull()
}

/** Whether a person is asked to reconnect. */
const asksToReconnect = ({ status, degraded }: Connection) =>
  status === 'reconnect_required' || (degraded !== undefined && degraded.reason !== 'renewal_unreachable')

const eventually = { timeout: 20_000, interval: 200 }

describe('a refresh that brought an access token', () => {
  it.each(Object.keys(FORMS))('is kept, whatever else its response holds, in the form: %s', async (form) => {
    const space = newSpace()
    await gateway.connect(space)
    for (const name of MEMBERS) {
      for (const [way, spoil] of Object.entries(SPOILED)) {
        if (name === 'access_token' && !['large', 'repeated'].includes(way)) continue
        // A refresh token that is missing is the old one, which this server has retired: see below.
        if (name === 'refresh_token' && !['large', 'repeated'].includes(way)) continue
        for (const status of [200, 201]) {
          await refreshOnce(space, { ...FORMS[form], ...spoil(name), status })
          expect(await statusOf(space), `${name} ${way}, ${status}`).toBe(200)
        }
      }
    }
    const connection = await gateway.connection(space)
    expect(connection).toMatchObject({ status: 'connected' })
    expect(connection.degraded).toBeUndefined()
    expect((await gateway.history(space)).events.map(({ type }) => type)).not.toContain(
      'NotionIntegrationAuthorizationFailed',
    )
  })

  it.each(['absent', 'null', 'empty', 'of another type'])(
    'goes on with the refresh token that it has, when that of the response is %s',
    async (way) => {
      notion.setOptions({ singleUseRefreshTokens: false })
      try {
        const space = newSpace()
        await gateway.connect(space)
        await refreshOnce(space, SPOILED[way]?.('refresh_token') as Shape)
        expect(await statusOf(space)).toBe(200)
        notion.admin.expireAccessTokens()
        expect(await statusOf(space)).toBe(200)
      } finally {
        notion.setOptions({ singleUseRefreshTokens: true })
      }
    },
  )

  it.each(['gzip', 'br', 'deflate'] as const)(
    'is kept when its response is compressed with %s, unasked',
    async (contentEncoding) => {
      const space = newSpace()
      await gateway.connect(space)
      await refreshOnce(space, { contentEncoding })
      expect(await statusOf(space)).toBe(200)
    },
  )
})

describe('a refresh that brought a refresh token only', () => {
  it('is kept: the connection is degraded, and refreshes again by itself', async () => {
    const shapes: Shape[] = [
      ...['absent', 'null', 'empty', 'of another type'].map((way) => SPOILED[way]?.('access_token') as Shape),
      { with: { access_token: 'two\nlines' } },
      { with: { access_token: 'tøken' } },
      { with: { token_type: 'mac' } },
      { with: { token_type: 'DPoP' }, status: 201 },
    ]
    for (const shape of shapes) {
      const space = newSpace()
      await gateway.connect(space)
      await refreshOnce(space, shape)
      const { status, degraded } = await gateway.connection(space)
      expect([status, degraded?.reason], JSON.stringify(shape)).toEqual(['connected', 'access_token_missing'])
      await expect.poll(() => statusOf(space), eventually).toBe(200)
      expect((await gateway.connection(space)).degraded).toBeUndefined()
    }
  })
})

describe('a grant that is dead', () => {
  it('because its tokens got lost in an unusable response, asks for a person', async () => {
    const all: string[] = []
    for (const shape of LOST) {
      const space = newSpace()
      all.push(space)
      await gateway.connect(space)
      await refreshOnce(space, shape)
    }
    for (const [i, space] of all.entries()) {
      await expect
        .poll(async () => (await statusOf(space)) !== 200 && asksToReconnect(await gateway.connection(space)), {
          ...eventually,
          message: JSON.stringify(LOST[i]),
        })
        .toBe(true)
    }
  })

  it('is recognised in whatever form the server says so; the token then goes out hourly at most', async () => {
    for (const refusal of REFUSALS) {
      const space = newSpace()
      notion.setOptions({ accessTtlSeconds: 1 })
      await gateway.connect(space)
      notion.setOptions({ accessTtlSeconds: 28_800, tokenRefusal: refusal })
      const [grant] = notion.admin.grants().toReversed()
      notion.admin.revokeGrants({ grantId: grant?.grantId as string })
      await expect
        .poll(async () => (await statusOf(space)) !== 200 && asksToReconnect(await gateway.connection(space)), {
          ...eventually,
          message: JSON.stringify(refusal),
        })
        .toBe(true)
      notion.resetSeen()
      for (let i = 0; i < 3; i++) expect([401, 503]).toContain(await statusOf(space))
      const isUnreadable = (await gateway.connection(space)).degraded?.reason === 'renewal_unreadable'
      // An outage looks like this, too, and should not last longer than it does.
      if (!isUnreadable) expect(notion.seen.tokenRequests, JSON.stringify(refusal)).toEqual([])
      notion.setOptions({ tokenRefusal: null })
      await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    }
  })

  it('works again after the reconnect that was offered', async () => {
    const space = newSpace()
    await gateway.connect(space)
    await refreshOnce(space, { status: 500, applied: true })
    await expect.poll(async () => asksToReconnect(await gateway.connection(space)), eventually).toBe(true)
    await gateway.connect(space, 'ben')
    expect(await statusOf(space)).toBe(200)
    expect((await gateway.connection(space)).degraded).toBeUndefined()
  })
})

describe('a code exchange', () => {
  it('connects with every usable token of a 2xx response', async () => {
    for (const name of MEMBERS) {
      for (const [way, spoil] of Object.entries(SPOILED)) {
        const space = newSpace()
        const status = way.length % 2 === 0 ? 200 : 201
        notion.setOptions({ tokenResponse: { ...spoil(name), status, on: 'authorization_code', times: 1 } })
        await gateway.connect(space)
        await expect.poll(() => statusOf(space), { ...eventually, message: `${name} ${way}` }).toBe(200)
      }
    }
  })

  it('that brings nothing usable leaves the space as it was, and the next one works', async () => {
    for (const shape of LOST) {
      const space = newSpace()
      notion.setOptions({ tokenResponse: { ...shape, on: 'authorization_code', times: 1 } })
      const back = await gateway.authorize(space)
      expect(back.searchParams.get('status'), JSON.stringify(shape)).toBe('error')
      await gateway.connect(space)
      expect(await statusOf(space)).toBe(200)
    }
  })
})

describe('a registration', () => {
  const members = [
    'client_secret',
    'client_secret_expires_at',
    'client_id_issued_at',
    'redirect_uris',
    'grant_types',
    'client_name',
  ]

  it('is taken whatever it holds beside the client id', async () => {
    const space = newSpace()
    for (const name of [...members, 'token_endpoint_auth_method']) {
      for (const [way, spoil] of Object.entries(SPOILED)) {
        // A method of another kind than any that there is: the gateway cannot know how to authenticate.
        if (name === 'token_endpoint_auth_method' && way === 'large') continue
        if (name === 'client_secret' && way === 'large') continue
        const status = way.length % 2 === 0 ? 200 : 201
        const own = `${space}-${name}-${way}`
        notion.setOptions({ registrationResponse: { ...spoil(name), status, times: 1 } })
        await gateway.connect(own)
        expect(await statusOf(own), `${name} ${way}`).toBe(200)
      }
    }
  })
})
