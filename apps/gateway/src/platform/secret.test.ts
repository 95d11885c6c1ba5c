import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { jsonLog } from './log.ts'
import { Secret } from './secret.ts'

const VALUE = 'ntn_the-value'

function logged(fields: Record<string, unknown>): string {
  let text = ''
  jsonLog('debug', { write: (line) => void (text += line) }).info('test.event', fields)
  return text
}

const outputs: [string, (secret: Secret) => string][] = [
  ['a template', (secret) => `${secret as unknown as string}`],
  ['JSON', (secret) => JSON.stringify({ secret })],
  ['util.inspect', (secret) => inspect({ secret }, { depth: 9, showHidden: true })],
  ['a format string', (secret) => format('%s %o %j', secret, secret, secret)],
  ['a log event', (secret) => logged({ secret, nested: { secret } })],
  ['an error', (secret) => String(new Error(`rejected ${String(secret)}`))],
  ['its members', (secret) => JSON.stringify([Object.entries(secret), { ...secret }])],
]

describe('a secret', () => {
  it.each(outputs)('is not printed by %s', (_, print) => {
    expect(print(new Secret(VALUE))).not.toContain(VALUE)
  })

  it('has its value only where it is revealed, and can be compared', () => {
    expect(new Secret(VALUE).reveal()).toBe(VALUE)
    expect(new Secret(VALUE).equals(new Secret(VALUE))).toBe(true)
    expect(new Secret(VALUE).equals(new Secret(`${VALUE}.`))).toBe(false)
  })
})
