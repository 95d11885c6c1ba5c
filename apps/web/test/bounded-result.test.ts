import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundedResult } from '@/features/chat/bounded-result.ts'

const LONGEST = 1_000
/** Notes of what was left out, and the frame of the result. */
const SLACK = 300

const block = fc.oneof(
  fc.record({ type: fc.constant('text'), text: fc.string({ maxLength: 3_000 }) }),
  fc.record({ type: fc.constant('image'), data: fc.string({ maxLength: 3_000 }), mimeType: fc.constant('image/png') }),
  fc.record({ type: fc.constant('resource_link'), uri: fc.webUrl() }),
)
const result = fc.record(
  {
    content: fc.array(block, { maxLength: 20 }),
    structuredContent: fc.dictionary(fc.string(), fc.string({ maxLength: 3_000 })),
    isError: fc.boolean(),
  },
  { requiredKeys: ['content'] },
)

describe('a tool result that is stored', () => {
  it('stays as it is when it is not too long, and is bounded otherwise', () => {
    fc.assert(
      fc.property(result, (given) => {
        const stored = boundedResult(given, LONGEST) as typeof given
        const isShort = JSON.stringify(given).length <= LONGEST
        if (isShort) {
          expect(stored).toBe(given)
          return
        }
        // Control characters are six characters in JSON.
        expect(JSON.stringify(stored).length).toBeLessThanOrEqual(6 * LONGEST + SLACK)
        expect(JSON.stringify(stored)).toContain('left out')
        expect(Boolean(stored.isError)).toBe(Boolean(given.isError))
      }),
      { numRuns: 300 },
    )
  })

  it('keeps the beginning of a long text', () => {
    const text = `Launch plan${'x'.repeat(5_000)}`
    const stored = boundedResult({ content: [{ type: 'text', text }] }, LONGEST) as { content: { text: string }[] }
    expect(stored.content[0]?.text).toMatch(/^Launch plan.*\n\[… 4011 more characters were left out\.\]$/)
  })

  it.each([
    ['a text', 'x'.repeat(2_000)],
    ['another object', { list: 'x'.repeat(2_000) }],
  ])('is bounded when it is %s', (_, given) => {
    expect(JSON.stringify(boundedResult(given, LONGEST)).length).toBeLessThan(LONGEST)
  })
})
