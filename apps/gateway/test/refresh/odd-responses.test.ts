/**
 * Generated unexpected responses of authorization servers: each member × each invalid value × status × form, against a server with single-use
 * refresh tokens. Whenever the server issued usable tokens, the connection recovers automatically; whenever the grant is lost, users are asked to
 * reconnect.
 */
import type { Connection } from '@nmg/contract'
import { type Simulator, startSimulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REFRESH_TIMES } from '../../src/connections/refresh-schedule.ts'
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

/** Responses without a usable token although the server has rotated. */
const UNUSABLE: Shape[] = [
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
]
const LOST = UNUSABLE.map((shape) => ({ ...shape, applied: true }))

/** Responses of servers to a lost grant. */
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
// Shorter pauses suffice, as the simulator never processes a request after its response.
const times = { ...REFRESH_TIMES, propagationMs: 0, repeatPauseMs: 10 }

/** A gateway with its own server, whose options apply to all spaces of the gateway. */
interface Lane {
  readonly notion: Simulator
  readonly gateway: InProcessGateway
}

const LANES = 4
let lanes: Lane[]
let spaces = 0
const newSpace = () => `space-${++spaces}`

beforeAll(async () => {
  lanes = await Promise.all(
    Array.from({ length: LANES }, async () => {
      const notion = await startSimulator({
        options: { autoApprove: true, rateLimitPerMinute: null, singleUseRefreshTokens: true },
      })
      const gateway = await startGateway({
        mcpUrl: notion.mcpUrl,
        failpoints: { times },
        env: { SHUTDOWN_GRACE_SECONDS: '0' },
      })
      return { notion, gateway }
    }),
  )
})
afterAll(async () => {
  await Promise.all(
    lanes.map(async ({ gateway, notion }) => {
      await gateway.stop()
      await notion.close()
    }),
  )
})

/** Runs all cases, distributed over the lanes. */
async function each<T>(cases: readonly T[], run: (lane: Lane, one: T) => Promise<void>): Promise<void> {
  const left = cases.slice()
  await Promise.all(
    lanes.map(async (lane) => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) await run(lane, one)
    }),
  )
}

const statusOf = async ({ gateway }: Lane, space: string) => (await gateway.call(space, list)).status

async function connected({ gateway }: Lane): Promise<string> {
  const space = newSpace()
  await gateway.connect(space)
  return space
}

/** Makes the space refresh and the server respond in this shape. */
async function refreshOnce({ notion, gateway }: Lane, space: string, tokenResponse: Shape): Promise<void> {
  notion.admin.expireAccessTokens()
  notion.setOptions({ tokenResponse: { ...tokenResponse, on: 'refresh_token', times: 1 } })
  await gateway.call(space, list)
  expect(notion.options.tokenResponse).toBeNull()
}

/** True if users are asked to reconnect. */
const asksToReconnect = ({ status, degraded }: Connection) =>
  status === 'reconnect_required' || (degraded !== undefined && degraded.reason !== 'renewal_unreachable')

const eventually = { timeout: 20_000, interval: 200 }

/** Waits until the space fails with an error that names the next step. */
async function untilAsked(lane: Lane, space: string, shape: Shape): Promise<void> {
  await expect
    .poll(async () => (await statusOf(lane, space)) !== 200 && asksToReconnect(await lane.gateway.connection(space)), {
      ...eventually,
      message: JSON.stringify(shape),
    })
    .toBe(true)
}

const spoiled = MEMBERS.flatMap((name) =>
  Object.entries(SPOILED).map(([way, spoil]) => ({ name, way, shape: spoil(name) })),
)
/** A token that is missing, or longer than issued, is unusable. */
const isWhole = ({ name, way }: (typeof spoiled)[number]) => !name.endsWith('_token') || way === 'repeated'

describe('a refresh with an access token', () => {
  it('is stored, whatever else the response contains, in every form', async () => {
    await each(Object.values(FORMS), async (lane, form) => {
      const space = await connected(lane)
      for (const { name, way, shape } of spoiled.filter(isWhole)) {
        for (const status of [200, 201]) {
          await refreshOnce(lane, space, { ...form, ...shape, status })
          expect(await statusOf(lane, space), `${name} ${way}, ${status}`).toBe(200)
        }
      }
      const connection = await lane.gateway.connection(space)
      expect(connection).toMatchObject({ status: 'connected' })
      expect(connection.degraded).toBeUndefined()
    })
  })

  it('keeps the refresh token if the response has none', async () => {
    await each(['absent', 'null', 'empty', 'of another type'], async (lane, way) => {
      lane.notion.setOptions({ singleUseRefreshTokens: false })
      const space = await connected(lane)
      await refreshOnce(lane, space, SPOILED[way]?.('refresh_token') as Shape)
      expect(await statusOf(lane, space), way).toBe(200)
      lane.notion.admin.expireAccessTokens()
      expect(await statusOf(lane, space), way).toBe(200)
      lane.notion.setOptions({ singleUseRefreshTokens: true })
    })
  })

  it('is stored from an unsolicited compressed response', async () => {
    await each(['gzip', 'br', 'deflate'] as const, async (lane, contentEncoding) => {
      const space = await connected(lane)
      await refreshOnce(lane, space, { contentEncoding })
      expect(await statusOf(lane, space), contentEncoding).toBe(200)
    })
  })
})

describe('a refresh with only a refresh token', () => {
  it('is stored and degrades the connection, which refreshes again automatically', async () => {
    const shapes: Shape[] = [
      ...['absent', 'null', 'empty', 'of another type'].map((way) => SPOILED[way]?.('access_token') as Shape),
      { with: { access_token: 'two\nlines' } },
      { with: { access_token: 'tøken' } },
      { with: { token_type: 'mac' } },
      { with: { token_type: 'DPoP' }, status: 201 },
    ]
    await each(shapes, async (lane, shape) => {
      const space = await connected(lane)
      await refreshOnce(lane, space, shape)
      const { status, degraded } = await lane.gateway.connection(space)
      expect([status, degraded?.reason], JSON.stringify(shape)).toEqual(['connected', 'access_token_missing'])
      await expect.poll(() => statusOf(lane, space), eventually).toBe(200)
      expect((await lane.gateway.connection(space)).degraded).toBeUndefined()
    })
  })
})

describe('a lost grant', () => {
  it('requires a reconnect after its tokens were lost in an unusable response', async () => {
    await each(LOST, async (lane, shape) => {
      const space = await connected(lane)
      await refreshOnce(lane, space, shape)
      await untilAsked(lane, space, shape)
    })
  })

  it('is recognised in every form of the error, and the token is then sent at most hourly', async () => {
    await each(REFUSALS, async (lane, refusal) => {
      const { notion, gateway } = lane
      notion.setOptions({ accessTtlSeconds: 1 })
      const space = await connected(lane)
      notion.setOptions({ accessTtlSeconds: 28_800, tokenRefusal: refusal })
      notion.admin.revokeGrants()
      await untilAsked(lane, space, refusal)
      notion.clearRecorded()
      for (let i = 0; i < 3; i++) expect([401, 503]).toContain(await statusOf(lane, space))
      // This response also occurs during an outage, which must not last longer than necessary.
      const isUnreadable = (await gateway.connection(space)).degraded?.reason === 'renewal_unreadable'
      if (!isUnreadable) expect(notion.recorded.tokenRequests, JSON.stringify(refusal)).toEqual([])
      notion.setOptions({ tokenRefusal: null })
      await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    })
  })

  it('is replaced by a reconnect', async () => {
    const [lane] = lanes as [Lane]
    const space = await connected(lane)
    const lost = { status: 500, applied: true }
    await refreshOnce(lane, space, lost)
    await untilAsked(lane, space, lost)
    await lane.gateway.connect(space, 'ben')
    expect(await statusOf(lane, space)).toBe(200)
    expect((await lane.gateway.connection(space)).degraded).toBeUndefined()
  })
})

describe('a code exchange', () => {
  it('connects with every usable token of a 2xx response', async () => {
    await each(
      spoiled.filter(({ way }) => way !== 'large'),
      async (lane, { name, way, shape }) => {
        const space = newSpace()
        const status = way.length % 2 === 0 ? 200 : 201
        lane.notion.setOptions({ tokenResponse: { ...shape, status, on: 'authorization_code', times: 1 } })
        await lane.gateway.connect(space)
        await expect.poll(() => statusOf(lane, space), { ...eventually, message: `${name} ${way}` }).toBe(200)
      },
    )
  })

  it('without a usable token leaves the space unchanged, and the next one succeeds', async () => {
    await each(LOST, async (lane, shape) => {
      const space = newSpace()
      lane.notion.setOptions({ tokenResponse: { ...shape, on: 'authorization_code', times: 1 } })
      const back = await lane.gateway.authorize(space)
      expect(back.searchParams.get('status'), JSON.stringify(shape)).toBe('error')
      await lane.gateway.connect(space)
      expect(await statusOf(lane, space)).toBe(200)
    })
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
    'token_endpoint_auth_method',
  ]

  it('is accepted with any other members beside the client ID', async () => {
    const cases = members.flatMap((name) =>
      Object.entries(SPOILED).flatMap(([way, spoil]) =>
        // The gateway would have to use a secret or a different method.
        way === 'large' && /secret$|method$/.test(name) ? [] : [{ name, way, shape: spoil(name) }],
      ),
    )
    await each(cases, async (lane, { name, way, shape }) => {
      const space = newSpace()
      const status = way.length % 2 === 0 ? 200 : 201
      lane.notion.setOptions({ registrationResponse: { ...shape, status, times: 1 } })
      await lane.gateway.connect(space)
      expect(await statusOf(lane, space), `${name} ${way}`).toBe(200)
    })
  })
})
