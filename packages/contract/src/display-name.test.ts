import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanDisplayName, DisplayName, LONGEST_NAME } from './display-name.ts'

const forbidden = [
  ['a line feed', '\n'],
  ['a carriage return', '\r'],
  ['a tabulator', '\t'],
  ['NUL', '\0'],
  ['a C1 control character', '\u0085'],
  ['the line separator', '\u2028'],
  ['the paragraph separator', '\u2029'],
  ['a high surrogate alone', '\ud83d'],
  ['a low surrogate alone', '\ude00'],
  ['a zero-width space', '\u200b'],
  ['a byte order mark', '\ufeff'],
  ['a tag character', '\u{e0041}'],
  ...['\u061c', '\u200e', '\u200f', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e'].map((mark) => [
    'a bidi mark',
    mark,
  ]),
  ...['\u2066', '\u2067', '\u2068', '\u2069'].map((mark) => ['a bidi isolate', mark]),
] as [string, string][]

describe('a display name', () => {
  it.each(['Ada', 'Ada Lovelace-King', '李雷', 'Zoë O’Hara', 'علی', 'نمی\u200cدانم', '👩‍🚀 Team', '☕️', 'A.C.M.E. (2)'])(
    'accepts %s',
    (name) => {
      expect(DisplayName.parse(name)).toBe(name)
      expect(cleanDisplayName(name)).toBe(name)
    },
  )

  it.each(forbidden)('rejects %s', (_, character) => {
    expect(DisplayName.safeParse(`A${character}B`).success).toBe(false)
    expect(cleanDisplayName(`A${character}B`)).toBe('A B')
  })

  it.each(['', '   ', '\u200d', '\u3164', '\u2800', '\u00a0'])('rejects a blank name (%j)', (name) => {
    expect(DisplayName.safeParse(name).success).toBe(false)
    expect(cleanDisplayName(name)).toBeUndefined()
  })

  it('is limited in length', () => {
    expect(DisplayName.safeParse('A'.repeat(LONGEST_NAME + 1)).success).toBe(false)
    expect(cleanDisplayName('A'.repeat(5_000))).toBe('A'.repeat(LONGEST_NAME))
    expect(cleanDisplayName(`A${'😀'.repeat(80)}`)).toBe(`A${'😀'.repeat(49)}`)
  })

  it('is the result of cleaning any text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.oneof(fc.constantFrom(...forbidden.map(([, mark]) => mark)), fc.string()), { maxLength: 60 })
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (given) => {
        const name = cleanDisplayName(given)
        if (name !== undefined) expect(DisplayName.parse(name)).toBe(name)
      }),
    )
  })
})
