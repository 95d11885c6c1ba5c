/**
 * Responses of authorization servers that nobody expects, made by a generator: each member × each way to spoil it × status × form, against a server
 * whose refresh tokens are good for exactly one use. Whenever the server issued usable tokens the connection goes on working by itself; whenever
 * the grant is dead, a person is asked to reconnect.
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

/** Ways in which no token of the response can be used, although the server has rotated. */
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
const times = { ...REFRESH_TIMES, propagationMs: 0, repeatPauseMs: 10 }

/** A gateway with a server of its own: what the server answers is set for all of its spaces. */
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

/** Tries all of them, on all lanes beside each other. */
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

/** Has the next refresh answered in this shape, and makes the space need one. */
async function refreshOnce({ notion, gateway }: Lane, space: string, tokenResponse: Shape): Promise<void> {
  notion.admin.expireAccessTokens()
  notion.setOptions({ tokenResponse: { ...tokenResponse, on: 'refresh_token', times: 1 } })
  await gateway.call(space, list)
  expect(notion.options.tokenResponse).toBeNull()
}

/** Whether a person is asked to reconnect. */
const asksToReconnect = ({ status, degraded }: Connection) =>
  status === 'reconnect_required' || (degraded !== undefined && degraded.reason !== 'renewal_unreachable')

const eventually = { timeout: 20_000, interval: 200 }

/** Waits until the space works no longer, and says so in a way that helps. */
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
/** A token that is missing, or longer than the server issued it, is none. */
const isWhole = ({ name, way }: (typeof spoiled)[number]) => !name.endsWith('_token') || way === 'repeated'

describe('a refresh that brought an access token', () => {
  it('is kept, whatever else its response holds, in every form', async () => {
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

  it('goes on with the refresh token that it has, when the response has none', async () => {
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

  it('is kept when its response is compressed unasked', async () => {
    await each(['gzip', 'br', 'deflate'] as const, async (lane, contentEncoding) => {
      const space = await connected(lane)
      await refreshOnce(lane, space, { contentEncoding })
      expect(await statusOf(lane, space), contentEncoding).toBe(200)
    })
  })
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

describe('a grant that is dead', () => {
  it('because its tokens got lost in an unusable response, asks for a person', async () => {
    await each(LOST, async (lane, shape) => {
      const space = await connected(lane)
      await refreshOnce(lane, space, shape)
      await untilAsked(lane, space, shape)
    })
  })

  it('is recognised in whatever form the server says so; the token then goes out hourly at most', async () => {
    await each(REFUSALS, async (lane, refusal) => {
      const { notion, gateway } = lane
      notion.setOptions({ accessTtlSeconds: 1 })
      const space = await connected(lane)
      notion.setOptions({ accessTtlSeconds: 28_800, tokenRefusal: refusal })
      notion.admin.revokeGrants()
      await untilAsked(lane, space, refusal)
      notion.clearRecorded()
      for (let i = 0; i < 3; i++) expect([401, 503]).toContain(await statusOf(lane, space))
      // An outage looks like this one, too, and should not last longer than it does.
      const isUnreadable = (await gateway.connection(space)).degraded?.reason === 'renewal_unreadable'
      if (!isUnreadable) expect(notion.recorded.tokenRequests, JSON.stringify(refusal)).toEqual([])
      notion.setOptions({ tokenRefusal: null })
      await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    })
  })

  it('works again after the reconnect that was offered', async () => {
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

  it('that brings nothing usable leaves the space as it was, and the next one works', async () => {
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

  it('is taken whatever it holds beside the client id', async () => {
    const cases = members.flatMap((name) =>
      Object.entries(SPOILED).flatMap(([way, spoil]) =>
        // A secret, or a method of its own, would have to be used.
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
