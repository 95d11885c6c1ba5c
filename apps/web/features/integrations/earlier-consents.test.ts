import { DisconnectReceipt, PreviousConsent } from '@nmg/contract'
import { describe, expect, it } from 'vitest'
import { disconnectNotice, earlierConsentsText, previousConsentText } from './earlier-consents.ts'

describe('earlier consents', () => {
  it('are counted', () => {
    expect(earlierConsentsText(1)).toContain('One earlier consent')
    expect(earlierConsentsText(3)).toContain('3 earlier consents')
  })

  it.each(PreviousConsent.options)('name the place to end one that is not revoked (%s)', (outcome) => {
    const text = previousConsentText(outcome)
    if (outcome === 'revoked') expect(text).toBeUndefined()
    else expect(text).toContain('Settings → Connections')
  })

  it.each([undefined, '', 'constructor', '<b>kept</b>'])('are not mentioned for %j in the address', (value) => {
    expect(previousConsentText(value)).toBeUndefined()
  })
})

describe('the notice after disconnecting', () => {
  const receipt = { spaceId: 'space', status: 'disconnected', changed: true } as const

  it.each(DisconnectReceipt.shape.revocation.options)(
    'mentions earlier consents whatever became of the last (%s)',
    (revocation) => {
      const alone = disconnectNotice({ ...receipt, revocation })
      expect(disconnectNotice({ ...receipt, revocation, unrevokedConsents: 2 })).toBe(
        [alone, earlierConsentsText(2)].filter(Boolean).join(' '),
      )
      expect(alone === undefined).toBe(['revoked', 'nothing_to_revoke'].includes(revocation))
    },
  )
})
