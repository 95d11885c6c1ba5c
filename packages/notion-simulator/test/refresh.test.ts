import { describe, expect, it } from 'vitest'
import { DAY, MINUTE, SECOND } from '../src/clock.ts'
import type { Simulator } from '../src/index.ts'
import { connect, INITIALIZE, postMcp, refresh, refreshed, errorOf, register, simulator } from './client.ts'

const REVOKED = { status: 400, error: 'invalid_grant', description: 'OAuth grant revoked' }
const INVALID = { status: 400, error: 'invalid_grant', description: 'Invalid refresh token' }
const EXPIRED = { status: 400, error: 'invalid_grant', description: 'Refresh token has expired' }

const statusWith = async (notion: Simulator, accessToken: string) =>
  (await postMcp(notion, accessToken, INITIALIZE)).status
const standings = (notion: Simulator) =>
  notion.recorded.tokenRequests
    .filter(({ grantType }) => grantType === 'refresh_token')
    .map(({ presented }) => `${presented?.standing} ${presented?.generation}`)

describe('a refresh', () => {
  it('returns a new pair for the same grant', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    const next = await refreshed(notion, clientId, tokens.refresh_token)
    expect(next).toMatchObject({ token_type: 'bearer', expires_in: 28_800, scope: '', resource: notion.mcpUrl })
    expect(next.refresh_token).not.toBe(tokens.refresh_token)
    const grantOf = (token: string) => token.split(':').slice(0, 2)
    expect(grantOf(next.access_token)).toEqual(grantOf(tokens.access_token))
    expect(await statusWith(notion, next.access_token)).toBe(200)
  })

  it('revokes older access tokens at once', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    await refreshed(notion, clientId, tokens.refresh_token)
    expect(await statusWith(notion, tokens.access_token)).toBe(401)
  })

  it('keeps them without revokeAccessOnRefresh', async () => {
    const notion = await simulator({ options: { revokeAccessOnRefresh: false } })
    const { clientId, tokens } = await connect(notion)
    await refreshed(notion, clientId, tokens.refresh_token)
    expect(await statusWith(notion, tokens.access_token)).toBe(200)
  })

  it.each([
    ['without a token', '', { status: 400, error: 'invalid_request', description: 'Refresh token is required' }],
    [
      'with something that is no token',
      'abc',
      { status: 400, error: 'invalid_grant', description: 'Invalid token format' },
    ],
    ['of an unknown grant', 'a:b:c', { status: 400, error: 'invalid_grant', description: 'Grant not found' }],
  ])('%s is refused', async (_, token, expected) => {
    const notion = await simulator()
    const { clientId } = await connect(notion)
    expect(await errorOf(await refresh(notion, clientId, token))).toEqual(expected)
  })

  it('with an invented secret is refused without consequences', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    const issueInvalid = tokens.refresh_token.replace(/[^:]*$/, 'x'.repeat(32))
    expect(await errorOf(await refresh(notion, clientId, issueInvalid))).toEqual(INVALID)
    expect(standings(notion)).toEqual(['unknown null'])
    expect((await refresh(notion, clientId, tokens.refresh_token)).status).toBe(200)
  })

  it('with an access token is refused', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    expect(await errorOf(await refresh(notion, clientId, tokens.access_token))).toEqual(INVALID)
  })

  it('of another client is refused, and the token stays valid', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    const { client_id } = await register(notion)
    expect(await errorOf(await refresh(notion, client_id, tokens.refresh_token))).toEqual({
      status: 400,
      error: 'invalid_grant',
      description: 'Client ID mismatch',
    })
    expect((await refresh(notion, clientId, tokens.refresh_token)).status).toBe(200)
  })
})

describe('the window of two refresh tokens', () => {
  it('accepts the previous token any number of times until the new one is used', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    for (const _ of [1, 2, 3]) expect((await refresh(notion, clientId, tokens.refresh_token)).status).toBe(200)
    expect(standings(notion)).toEqual(['current 0', 'previous 0', 'previous 0'])
  })

  it('retires tokens before the used one', async () => {
    const notion = await simulator()
    const { clientId, tokens: first } = await connect(notion)
    const second = await refreshed(notion, clientId, first.refresh_token)
    const third = await refreshed(notion, clientId, second.refresh_token)
    expect(await errorOf(await refresh(notion, clientId, first.refresh_token))).toEqual(INVALID)
    expect((await refresh(notion, clientId, third.refresh_token)).status).toBe(200)
    expect(standings(notion)).toEqual(['current 0', 'current 1', 'retired 0', 'current 2'])
  })

  it('retires the tokens of the first response when the previous token is used again', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    const [winner, loser] = [
      await refreshed(notion, clientId, tokens.refresh_token),
      await refreshed(notion, clientId, tokens.refresh_token),
    ]
    expect(await errorOf(await refresh(notion, clientId, winner.refresh_token))).toEqual(INVALID)
    expect((await refresh(notion, clientId, loser.refresh_token)).status).toBe(200)
  })
})

describe('a token that was rotated out', () => {
  async function rotatedTwice(notion: Simulator) {
    const { clientId, tokens: first } = await connect(notion)
    const second = await refreshed(notion, clientId, first.refresh_token)
    const third = await refreshed(notion, clientId, second.refresh_token)
    return { clientId, first, second, third }
  }

  it('is only refused within the grace period', async () => {
    const notion = await simulator()
    const { clientId, first, third } = await rotatedTwice(notion)
    notion.advance(MINUTE - 1)
    expect(await errorOf(await refresh(notion, clientId, first.refresh_token))).toEqual(INVALID)
    expect(await statusWith(notion, third.access_token)).toBe(200)
  })

  it('revokes the grant after the grace period: all access and refresh tokens', async () => {
    const notion = await simulator()
    const { clientId, first, third } = await rotatedTwice(notion)
    notion.advance(MINUTE)
    expect(await errorOf(await refresh(notion, clientId, first.refresh_token))).toEqual(REVOKED)
    expect(await errorOf(await refresh(notion, clientId, third.refresh_token))).toEqual(REVOKED)
    expect(await statusWith(notion, third.access_token)).toBe(401)
    expect(notion.admin.grants()).toMatchObject([{ status: 'revoked', revokedBecause: 'refresh token reused' }])
    expect(notion.recorded.tokenRequests.at(-2)).toMatchObject({
      presented: { generation: 0, standing: 'retired' },
      outcome: { error: 'invalid_grant', grantRevoked: true },
    })
  })

  it('revokes it at once without a grace period, and never without reuse detection', async () => {
    const strict = await simulator({ options: { graceMs: 0 } })
    const one = await rotatedTwice(strict)
    expect(await errorOf(await refresh(strict, one.clientId, one.first.refresh_token))).toEqual(REVOKED)

    const lenient = await simulator({ options: { reuseDetection: false } })
    const two = await rotatedTwice(lenient)
    lenient.advance(DAY)
    expect(await errorOf(await refresh(lenient, two.clientId, two.first.refresh_token))).toEqual(INVALID)
    expect((await refresh(lenient, two.clientId, two.third.refresh_token)).status).toBe(200)
  })

  it('one step ago stays valid, or only within the grace period with the strict option', async () => {
    const notion = await simulator()
    const one = await rotatedTwice(notion)
    notion.advance(DAY)
    expect((await refresh(notion, one.clientId, one.second.refresh_token)).status).toBe(200)

    const strict = await simulator({ options: { previousOutsideGraceIsReuse: true } })
    const two = await rotatedTwice(strict)
    strict.advance(MINUTE - 1)
    expect((await refresh(strict, two.clientId, two.second.refresh_token)).status).toBe(200)
    strict.advance(1)
    expect(await errorOf(await refresh(strict, two.clientId, two.second.refresh_token))).toEqual(REVOKED)
  })
})

describe('a grant', () => {
  it('expires after 30 days without a refresh', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    notion.advance(30 * DAY - 1)
    const next = await refreshed(notion, clientId, tokens.refresh_token)
    notion.advance(30 * DAY)
    expect(await errorOf(await refresh(notion, clientId, next.refresh_token))).toEqual(EXPIRED)
  })

  it('expires after 180 days despite refreshes, and its last access tokens are shorter', async () => {
    const notion = await simulator({ options: { clientTtlSeconds: null } })
    const { clientId, tokens } = await connect(notion)
    let token = tokens.refresh_token
    for (let day = 20; day <= 160; day += 20) {
      notion.advance(20 * DAY)
      token = (await refreshed(notion, clientId, token)).refresh_token
    }
    notion.advance(20 * DAY - 100 * SECOND)
    const last = await refreshed(notion, clientId, token)
    expect(last.expires_in).toBe(100)
    notion.advance(100 * SECOND)
    expect(await statusWith(notion, last.access_token)).toBe(401)
    expect(await errorOf(await refresh(notion, clientId, last.refresh_token))).toEqual(EXPIRED)
    expect(notion.admin.grants()).toMatchObject([{ status: 'expired', endsAt: '2027-03-30T12:00:00.000Z' }])
  })

  it('cannot be refreshed in its last minute with the newer upstream library', async () => {
    const notion = await simulator({ profile: 'wop-0.10', options: { idleTtlSeconds: 600 } })
    const { clientId, tokens } = await connect(notion)
    notion.advance(540 * SECOND + 1)
    expect(await errorOf(await refresh(notion, clientId, tokens.refresh_token))).toEqual(EXPIRED)
  })

  it('outlives the registration of its client, but can no longer be refreshed', async () => {
    const notion = await simulator({ options: { clientTtlSeconds: 3600 } })
    const { clientId, tokens } = await connect(notion)
    notion.advance(3600 * SECOND)
    expect(await statusWith(notion, tokens.access_token)).toBe(200)
    expect(await errorOf(await refresh(notion, clientId, tokens.refresh_token))).toEqual({
      status: 401,
      error: 'invalid_client',
      description: 'Client not found',
    })
  })

  it('revoked by an administrator is revoked for both kinds of tokens', async () => {
    const notion = await simulator()
    const ada = await connect(notion)
    const ben = await connect(notion, { user: 'ben' })
    expect(notion.admin.revokeGrants({ clientId: ada.clientId })).toBe(1)
    expect(await statusWith(notion, ada.tokens.access_token)).toBe(401)
    expect(await errorOf(await refresh(notion, ada.clientId, ada.tokens.refresh_token))).toEqual(REVOKED)
    expect(await statusWith(notion, ben.tokens.access_token)).toBe(200)
  })
})

describe('storage that lags', () => {
  it('does not know a new access token yet, and still accepts the old one', async () => {
    const notion = await simulator({ options: { kvLagMs: 5000 } })
    const { clientId, tokens } = await connect(notion)
    notion.advance(5000)
    const next = await refreshed(notion, clientId, tokens.refresh_token)
    expect(await statusWith(notion, next.access_token)).toBe(401)
    expect(await statusWith(notion, tokens.access_token)).toBe(200)
    notion.advance(5000)
    expect(await statusWith(notion, next.access_token)).toBe(200)
    expect(await statusWith(notion, tokens.access_token)).toBe(401)
  })

  it('refuses a refresh token that is too new, and accepts a retired one', async () => {
    const notion = await simulator({ options: { kvLagMs: 5000 } })
    const { clientId, tokens: first } = await connect(notion)
    const second = await refreshed(notion, clientId, first.refresh_token)
    expect(await errorOf(await refresh(notion, clientId, second.refresh_token))).toEqual(INVALID)
    notion.advance(5000)
    await refreshed(notion, clientId, second.refresh_token)
    expect((await refresh(notion, clientId, first.refresh_token)).status).toBe(200)
  })
})
