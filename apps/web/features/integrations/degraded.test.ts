import { DegradedReason } from '@nmg/contract'
import { describe, expect, it } from 'vitest'
import type { SpaceConnection } from './connection-response.ts'
import { isReconnectUseful } from './connection-view.ts'
import { degradedTexts } from './degraded.ts'

const NOT_BY_RECONNECTING: readonly DegradedReason[] = ['renewal_unreachable', 'client_rejected']

describe.each(DegradedReason.options)('a connection that is degraded (%s)', (reason) => {
  const canReconnect = !NOT_BY_RECONNECTING.includes(reason)
  const connection: SpaceConnection = {
    spaceId: 'space',
    processId: crypto.randomUUID(),
    status: 'connected',
    connectedAt: '2026-05-01T10:00:00Z',
    connectedBy: 'ada',
    hasMcpToken: true,
    degraded: { since: '2026-05-03T10:00:00Z', reason, lastError: 'HTTP 503', nextAttemptAt: '2026-05-03T11:00:00Z' },
  }

  it('offers to reconnect exactly where that can help', () => {
    expect(isReconnectUseful(connection)).toBe(canReconnect)
    expect(
      isReconnectUseful({ ...connection, notice: { kind: 'reconnect_now', days: 1 }, consentRequired: true }),
    ).toBe(canReconnect)
  })

  it('promises that nobody has to do anything only where that is true', () => {
    const { what, remedy } = degradedTexts[reason]
    expect(`${what} ${remedy}`).not.toMatch(/nobody|by itself/)
    if (!canReconnect) expect(remedy).toMatch(/ask your administrator to check .*[A-Z]+_[A-Z]+/i)
  })
})
