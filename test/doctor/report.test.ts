import { describe, expect, it } from 'vitest'
import { asJson, asText, exitCodeOf, findingsOf, withoutSecrets, type Finding } from '../../scripts/doctor/report.ts'

const redis = findingsOf('redis')
const clock = findingsOf('clock')

const findings: Finding[] = [
  redis.error('Redis cannot be used.', { detail: 'Two\nlines.', change: 'REDIS_URL=…' }),
  clock.ok('The clock is right.'),
  redis.notChecked('Its version', 'it does not answer.'),
  clock.warning('It drifts.'),
]

describe('the report', () => {
  it('groups findings by area, in the order of the areas, and counts them', () => {
    expect(asText(findings)).toBe(`clock
  ok       The clock is right.
  warning  It drifts.

redis
  ERROR    Redis cannot be used.
           Two
           lines.
           → REDIS_URL=…
  not checked: Its version
           It does not answer.

1 error, 1 warning, 1 not checked.
`)
  })

  it('is JSON with the exit code for programs', () => {
    expect(JSON.parse(asJson(findings, '1.2.3'))).toEqual({ release: '1.2.3', exitCode: 1, findings })
  })

  it.each([
    ['nothing', [], 0],
    ['only warnings and what was not checked', [clock.warning('a'), clock.notChecked('b', 'c'), clock.ok('d')], 0],
    ['one error', [clock.ok('a'), clock.error('b')], 1],
  ] as const)('exits with what is broken: %s', (_, some, code) => expect(exitCodeOf(some)).toBe(code))

  it('removes secrets from every text, longer ones first, and keeps short words', () => {
    const leaky = redis.error('title a-long-secret-and-more', { detail: 'a-long-secret', change: 'word a-long-secret' })
    expect(withoutSecrets([leaky], ['a-long-secret', 'a-long-secret-and-more', 'word'])).toEqual([
      redis.error('title [secret]', { detail: '[secret]', change: 'word [secret]' }),
    ])
  })
})
