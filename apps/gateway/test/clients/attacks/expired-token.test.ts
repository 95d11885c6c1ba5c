/** A token ends when it says, also one that was good a moment ago and is in memory; and none lives for ever, whatever it says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InProcessGateway } from '../../support/gateway.ts'
import { call, scene } from '../clients.ts'

const on = scene()
let now = Date.now()
let gateway: InProcessGateway
const seconds = () => Math.floor(now / 1000)
/** Past the tolerance for clocks that differ. */
const LATER = 61

beforeAll(async () => {
  gateway = await on.replica({ clock: () => new Date(now) })
})
afterAll(() => gateway.stop())

const token = (claims: object) => on.issuer.token(on.resource(), { iat: seconds() - 60, ...claims })
const list = (credential: string) => call(credential, on.endpoint('north', gateway))

describe('a token that has expired', () => {
  it('is refused, and its client told to get another', async () => {
    const answer = await list(await token({ exp: seconds() - LATER }))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('error_description="The access token has expired."')
  })

  it('is refused in the very second, although it was accepted before', async () => {
    const good = await token({ exp: seconds() + 100 })
    expect((await list(good)).status).toBe(200)
    now += (100 + LATER) * 1000
    const answer = await list(good)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it('is refused a day after it was issued, though it claims a longer life', async () => {
    const eternal = await token({ exp: 1e15 })
    expect((await list(eternal)).status).toBe(200)
    now += 24 * 3600 * 1000
    expect((await list(eternal)).status).toBe(401)
  })

  it.each([['"0"'], [null], [true], [[9e9]], [-1]])('is not made good by the end %j', async (exp) => {
    expect((await list(await token({ exp }))).status).toBe(401)
  })
})

describe('a key that has expired', () => {
  it('is refused in the very second, although it was accepted before', async () => {
    const { key } = await on.newKey({ expiresAt: new Date(now + 60_000).toISOString() })
    expect((await list(key)).status).toBe(200)
    now += 60_000
    expect((await list(key)).status).toBe(401)
  })
})
