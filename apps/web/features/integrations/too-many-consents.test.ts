import { describe, expect, it } from 'vitest'
import { tooManyConsentsText } from './too-many-consents.ts'

const NOW = new Date('2026-05-03T10:00:00Z')

describe('the text after too many consents', () => {
  it.each([
    ['1', 'in 1 second.'],
    ['90', 'in 90 seconds.'],
    ['91', 'in 2 minutes.'],
    ['1801', 'in 31 minutes.'],
    ['Sun, 03 May 2026 10:20:00 GMT', 'in 20 minutes.'],
    // The moment has passed on the way here.
    ['0', 'in 1 second.'],
    ['Sun, 03 May 2026 09:59:00 GMT', 'in 1 second.'],
    // Nothing that can be read: the limit is per hour.
    [null, 'in an hour.'],
    ['soon', 'in an hour.'],
    ['-5', 'in an hour.'],
  ])('says for Retry-After %j to try again %s', (retryAfter, when) => {
    expect(tooManyConsentsText(retryAfter, NOW)).toBe(
      `This space has started connecting to Notion too many times. Try again ${when}`,
    )
  })
})
