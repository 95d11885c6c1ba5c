import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonLog } from './log.ts'

function logged(facts: Record<string, unknown>): string {
  let text = ''
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  jsonLog('debug', sink).info('test.event', facts)
  return text
}

describe('a log event', () => {
  it('is written as one line of JSON without control characters and keeps any text intact', () => {
    const unit = fc.oneof(fc.integer({ min: 0, max: 0x9f }), fc.constantFrom(0x2028, 0x2029, 0x1f600, 0xfc, 0xd800))
    const text = fc.array(unit).map((codes) => String.fromCodePoint(...codes))
    fc.assert(
      fc.property(text, (value) => {
        const line = logged({ method: value, nested: { value } })
        expect(line.endsWith('\n')).toBe(true)
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
        const parsed = JSON.parse(line) as { method: string; nested: { value: string } }
        expect([parsed.method.toWellFormed(), parsed.nested.value.toWellFormed()]).toEqual([
          value.toWellFormed(),
          value.toWellFormed(),
        ])
      }),
    )
  })
})
