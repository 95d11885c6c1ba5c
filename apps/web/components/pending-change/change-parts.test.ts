import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changeParts, hiddenCharacters } from './change-parts.ts'
import { textPieces, visibleText } from './visible-text.ts'

/** All scalars of a value, as text. */
function scalars(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(scalars)
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(scalars)
  return [String(value)]
}

function keys(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keys)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => [key, ...keys(item)])
}

const hidden = [
  '\u202e',
  '\u2066',
  '\u200b',
  '\u200d',
  '\u00ad',
  '\ufeff',
  '\u0000',
  '\u001b',
  '\u2028',
  '\u2029',
  '\u2800',
  '\ue000',
  '\ufff9',
  '\u{e0041}',
  '\ufe0f',
  '\u3164',
  '\ud800',
]

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...hidden, 'a', ' ', '\n') }),
  fc.constantFrom(
    '',
    '<table>\n<tr><td>pay</td><td>me</td></tr>\n</table>',
    '<colgroup><col width="1"></colgroup>',
    '| a | b |\n| - | - |',
    '**bold** `code` # no heading',
    '__proto__',
    `${'\n'.repeat(500)}the end`,
    'x'.repeat(10_001),
    '😀'.repeat(1_500),
  ),
)
const name = fc.oneof(
  fc.constantFrom(
    'page_id',
    'parent',
    'cover',
    'icon',
    'template_id',
    'replace_all_matches',
    'content',
    'pages',
    '',
    '__proto__',
    'toString',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    text,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(name, tie('value')),
  ),
}))
const args = fc.dictionary(name, value)

describe('the parts of a change', () => {
  it('have each scalar of the arguments, verbatim, once and no other', () => {
    fc.assert(
      fc.property(args, (input) => {
        const shown = changeParts(input).map((part) => part.text)
        const empty = ['(empty list)', '(no values)']
        const sent = scalars(input).map((scalar) => (scalar === '' ? '(empty text)' : scalar))
        expect(shown.filter((each) => !empty.includes(each)).toSorted()).toEqual(
          sent.filter((each) => !empty.includes(each)).toSorted(),
        )
      }),
    )
  })

  it('are marked as long, with the number of characters that are not shown', () => {
    fc.assert(
      fc.property(args, (input) => {
        for (const part of changeParts(input)) {
          const open = part.text.slice(0, part.cutAt)
          expect(open.length).toBeLessThanOrEqual(2_000)
          expect(open.split('\n').length).toBeLessThanOrEqual(40)
          expect(Array.from(open).length + hiddenCharacters(part)).toBe(Array.from(part.text).length)
        }
      }),
    )
  })

  it('show the names of arguments too', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'binary', minLength: 1 }).filter((key) => !/^[a-z_]+$/.test(key)),
          value,
        ),
        (input) => {
          const labels = changeParts(input).map(({ label }) => label)
          for (const key of keys(input)) {
            if (!/^[a-z_]*$/.test(key)) expect(labels.some((label) => label.includes(key))).toBe(true)
          }
        },
      ),
    )
  })

  it('begin with what the call is aimed at, by name and address', () => {
    const page = { title: 'Launch plan', url: 'https://app.notion.com/p/1' }
    const parts = changeParts({ command: 'insert_content', content: 'x', page_id: '1' }, (id) =>
      id === '1' ? page : undefined,
    )
    expect(parts.map(({ label }) => label)).toEqual(['Page', 'Command', 'Content'])
    expect(parts[0]).toMatchObject({ text: '1', page })
    expect(parts[2]).toMatchObject({ tone: 'added' })
  })

  it('show what is replaced before what replaces it, in whatever order they come', () => {
    const update = { new_str: 'b', old_str: 'a', replace_all_matches: true }
    const labels = changeParts({ content_updates: [update], command: 'update_content' }).map(({ label }) => label)
    expect(labels).toEqual(['Command', 'Edit › Text to replace', 'Edit › New text', 'Edit › Replace all matches'])
  })

  it('say so where the page that a call changes is not known by name', () => {
    expect(changeParts({ page_id: '1' })[0]?.page).toBe('unknown')
    expect(changeParts({ parent: { page_id: '1' } })[0]?.page).toBe('unknown')
  })

  it.each([[undefined], [null], ['text'], [12], [[]], [{}]])('exist also for arguments that are %j', (input) => {
    expect(changeParts(input).length).toBe(input !== null && typeof input === 'object' && !Array.isArray(input) ? 0 : 1)
  })

  it('say where something may be deleted', () => {
    expect(changeParts({ allow_deleting_content: true })[0]?.tone).toBe('danger')
    expect(changeParts({ allow_deleting_content: false })[0]?.tone).toBe('plain')
  })
})

describe('visible text', () => {
  it('is the text itself, piece by piece', () => {
    fc.assert(
      fc.property(text, (each) => {
        expect(
          textPieces(each)
            .map((piece) => ('text' in piece ? piece.text : piece.hidden))
            .join(''),
        ).toBe(each)
      }),
    )
  })

  it.each(hidden)('marks %j', (character) => {
    const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
    expect(visibleText(`a${character}b`)).toBe(`a[U+${code}]b`)
  })

  it.each([
    'plain',
    'two\nlines\tand a tab',
    'ünï',
    '日本\u3000語',
    'שלום',
    'กำลัง',
    '❤️ 👨‍👩‍👧 👍🏽 1️⃣ 🇦🇹',
    'non\u00a0breaking',
  ])('leaves %j as it is', (plain) => {
    expect(visibleText(plain)).toBe(plain)
  })

  it('marks selectors and joiners beside emoji that are more than an emoji needs', () => {
    expect(visibleText('❤\ufe0f\ufe0f')).toBe('❤\ufe0f[U+FE0F]')
    expect(visibleText('❤\u200da')).toBe('❤[U+200D]a')
  })

  it('marks combining characters that are piled up', () => {
    expect(visibleText(`a${'\u0301'.repeat(8)}`)).toBe(`a${'\u0301'.repeat(6)}[U+0301][U+0301]`)
  })
})
