import { describe, expect, it } from 'vitest'
import {
  classifyTokenEnd,
  evolve,
  noticeOf,
  classifyRefusal,
  reconnectBy,
  replay,
  type ConnectionEvent,
  type Grant,
} from './connection.ts'
import { decodeConnection, decodeEvent, encode } from './event-codec.ts'

const at = (day: number) => new Date(Date.UTC(2026, 0, 1 + day, 12))
const grant: Grant = {
  issuer: 'https://notion.example',
  tokenEndpoint: 'https://notion.example/token',
  revocationEndpoint: null,
  resource: 'https://notion.example/mcp',
  scope: null,
  authorizedAt: at(0),
  authorizedBy: 'ada',
}
const sealed = (generation: number) => ({
  sealed: `sealed-${generation}`,
  keyId: 'k',
  generation,
  expiresAt: at(1),
  isRenewable: true,
})
const authorized = (generation = 1): ConnectionEvent => ({
  type: 'NotionIntegrationAuthorized',
  at: at(0),
  by: 'ada',
  grant,
  credential: sealed(generation),
})
const refreshed = (generation: number): ConnectionEvent => ({
  type: 'NotionIntegrationTokenRefreshed',
  at: at(1),
  credential: sealed(generation),
})
const failed: ConnectionEvent = {
  type: 'NotionIntegrationAuthorizationFailed',
  at: at(2),
  error: 'invalid_grant',
  reason: 'revoked',
  generation: 2,
}
const disconnected: ConnectionEvent = { type: 'NotionIntegrationDisconnected', at: at(3), by: 'ben' }

describe('a connection', () => {
  it.each([
    ['is absent without events', [], 'absent'],
    ['is connected once authorized', [authorized()], 'connected'],
    ['stays connected when refreshed', [authorized(), refreshed(2)], 'connected'],
    ['must be reconnected after a final refusal', [authorized(), refreshed(2), failed], 'reconnect_required'],
    ['is connected again by a new consent', [authorized(), failed, authorized(3)], 'connected'],
    ['is disconnected by a user', [authorized(), disconnected], 'disconnected'],
    ['can be disconnected while a reconnect is required', [authorized(), failed, disconnected], 'disconnected'],
    [
      'is not reactivated by a refresh stored after the disconnect',
      [authorized(), disconnected, refreshed(3)],
      'disconnected',
    ],
    [
      'is not reactivated by a refresh after the final refusal',
      [authorized(), failed, refreshed(3)],
      'reconnect_required',
    ],
    ['stays disconnected after a later refusal', [authorized(), disconnected, failed], 'disconnected'],
    ['stays absent after a disconnect', [disconnected], 'absent'],
  ] as const)('%s', (_title, events, status) => {
    expect(replay(events).status).toBe(status)
  })

  it('has a credential only while it is connected', () => {
    for (const events of [[], [authorized(), failed], [authorized(), disconnected]]) {
      expect(replay(events)).not.toHaveProperty('credential')
    }
    expect(replay([authorized(), refreshed(2)])).toMatchObject({ credential: sealed(2), lastRefreshedAt: at(1) })
  })

  it.each([
    [165.9, undefined],
    [166, { kind: 'reconnect_soon', days: 14 }],
    [176.5, { kind: 'reconnect_soon', days: 4 }],
    [177, { kind: 'reconnect_now', days: 3 }],
    [179.5, { kind: 'reconnect_now', days: 1 }],
    [181, { kind: 'reconnect_now', days: 0 }],
  ])('announces its end on day %d of 180', (day, notice) => {
    expect(noticeOf(replay([authorized(), refreshed(2)]), at(day))).toEqual(notice)
  })

  it('has no notice after it has ended', () => {
    expect(noticeOf(replay([authorized(), failed]), at(179))).toBeUndefined()
  })

  it('ends with its access token if it has no refresh token', () => {
    const credential = { ...sealed(1), isRenewable: false }
    const connected = { status: 'connected', grant, credential, lastRefreshedAt: null } as const
    expect(reconnectBy(connected, at(0.5))).toEqual(at(1))
    expect(noticeOf(connected, at(0.5))).toEqual({ kind: 'reconnect_now', days: 1 })
    expect(noticeOf({ ...connected, credential: { ...credential, expiresAt: null } }, at(179))).toBeUndefined()
    expect(classifyTokenEnd(credential, at(0.5)).reason).toBe('revoked')
    expect(classifyTokenEnd(credential, at(1)).reason).toBe('expired')
    expect(classifyTokenEnd({ ...credential, expiresAt: null }, at(0.5)).reason).toBe('expired')
  })

  it('restarts its 180 days with each consent only', () => {
    const connected = { status: 'connected', grant, credential: sealed(1), lastRefreshedAt: null } as const
    expect(reconnectBy(connected, at(1))).toEqual(at(180))
    // The consent was dated by a clock that was 200 days ahead and has been corrected since.
    const misdated = { ...connected, grant: { ...grant, authorizedAt: at(200) } }
    expect(reconnectBy(misdated, at(1))).toEqual(at(181))
    const later = { ...grant, authorizedAt: at(100) }
    const again = evolve(replay([authorized()]), { ...authorized(2), grant: later } as ConnectionEvent)
    expect(again).toMatchObject({ grant: later, lastRefreshedAt: null })
  })

  it('survives a JSON round trip, each event and each state', () => {
    const events = [authorized(), refreshed(2), failed, disconnected]
    for (const event of events) expect(decodeEvent(JSON.parse(encode(event)))).toEqual(event)
    for (let count = 0; count <= events.length; count++) {
      const connection = replay(events.slice(0, count))
      expect(decodeConnection(JSON.parse(encode(connection)))).toEqual(connection)
    }
  })
})

describe('the reason of a final refusal', () => {
  it.each([
    ['invalid_client', null, 1, 'client_lost'],
    ['invalid_grant', at(20), 25, 'revoked'],
    ['invalid_grant', null, 30, 'expired'],
    ['invalid_grant', at(20), 49, 'revoked'],
    ['invalid_grant', at(20), 50, 'expired'],
    ['invalid_grant', at(179), 180, 'expired'],
    ['unsupported_grant_type', null, 1, 'refused'],
    ['bad_refresh_token', null, 1, 'revoked'],
  ] as const)('for %s, last refreshed %s, on day %i is %s', (error, lastRefreshedAt, day, reason) => {
    expect(classifyRefusal({ error, isTokenExpired: false }, grant, lastRefreshedAt, at(day))).toBe(reason)
  })
  it('is taken from the description of the server if that is more specific than the code', () => {
    expect(classifyRefusal({ error: 'invalid_grant', isTokenExpired: true }, grant, null, at(1))).toBe('expired')
  })
})

describe('a refresh at another endpoint', () => {
  it('updates the grant, which later refreshes leave unchanged', () => {
    const moved = { ...grant, tokenEndpoint: 'https://notion.example/oauth/token' }
    const connected = replay([authorized(), { ...refreshed(2), grant: moved } as ConnectionEvent])
    expect(connected).toMatchObject({ grant: moved })
    expect(evolve(connected, refreshed(3))).toMatchObject({ grant: moved })
  })
})
