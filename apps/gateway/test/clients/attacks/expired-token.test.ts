/** Tokens and keys expire on time, also if they are in the cache; tokens expire after one day at the latest, whatever `exp` they have. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InProcessGateway } from '../../support/gateway.ts'
import { call, clientFixture } from '../clients.ts'

const on = clientFixture()
let now = Date.now()
let gateway: InProcessGateway
const seconds = () => Math.floor(now / 1000)
/** Seconds beyond the clock tolerance. */
const BEYOND_TOLERANCE = 61

beforeAll(async () => {
  gateway = await on.replica({ clock: () => new Date(now) })
})
afterAll(() => gateway.stop())

const token = (claims: object) => on.issuer.token(on.resource(), { iat: seconds() - 60, ...claims })
const list = (credential: string) => call(credential, on.endpoint('north', gateway))

describe('an expired token', () => {
  it('is rejected with a challenge to get a new one', async () => {
    const response = await list(await token({ exp: seconds() - BEYOND_TOLERANCE }))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error_description="The access token has expired."')
  })

  it('is rejected in the second of its expiry, although it was accepted before', async () => {
    const valid = await token({ exp: seconds() + 100 })
    expect((await list(valid)).status).toBe(200)
    now += (100 + BEYOND_TOLERANCE) * 1000
    const response = await list(valid)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it('is rejected a day after it was issued, even if exp is later', async () => {
    const longLived = await token({ exp: 1e15 })
    expect((await list(longLived)).status).toBe(200)
    now += 24 * 3600 * 1000
    expect((await list(longLived)).status).toBe(401)
  })

  it.each([['"0"'], [null], [true], [[9e9]], [-1]])('is rejected with the exp %j', async (exp) => {
    expect((await list(await token({ exp }))).status).toBe(401)
  })
})

describe('an expired key', () => {
  it('is rejected in the second of its expiry, although it was accepted before', async () => {
    const { key } = await on.newKey({ expiresAt: new Date(now + 60_000).toISOString() })
    expect((await list(key)).status).toBe(200)
    now += 60_000
    expect((await list(key)).status).toBe(401)
  })
})
