import { describe, expect, it } from 'vitest'
import { Failure } from './platform/failure.ts'
import type { Facts, Log } from './platform/log.ts'
import { afterSending } from './proxy/outcome.ts'
import type { ExchangeRecord } from './proxy/exchange.ts'
import { logCall } from './http-server.ts'

function logged(status: number, failure?: Failure): [string, Facts] {
  const lines: [string, Facts][] = []
  const at =
    (level: string) =>
    (_event: string, facts: Facts = {}) =>
      void lines.push([level, facts])
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const record: ExchangeRecord = {
    requestId: 'r',
    httpMethod: 'POST',
    status,
    spaceId: 'north',
    userId: 'ada',
    client: undefined,
    rpcMethod: 'tools/call',
    tookMs: 1,
    upstreamHeadMs: undefined,
    isAborted: false,
    failure,
  }
  logCall(log, record)
  return lines[0] as [string, Facts]
}

describe('the line of a call', () => {
  it.each([
    [200, 'info'],
    [202, 'info'],
    [0, 'info'],
    [401, 'info'],
    [429, 'info'],
    [500, 'error'],
    [501, 'warn'],
    [502, 'warn'],
    [503, 'warn'],
    [504, 'warn'],
    [529, 'warn'],
  ])('with status %i has the level %s', (status, level) => {
    expect(logged(status)[0]).toBe(level)
  })

  it('shows a fault of the gateway and where it came up, also when it is reported as an unknown outcome', () => {
    const cause = new TypeError('with a secret in it')
    const fault = new Failure('internal', 'The gateway failed.', { cause })
    for (const failure of [fault, afterSending(fault, 'may_change')]) {
      const [level, facts] = logged(502, failure)
      expect(level).toBe('error')
      expect(facts['at']).toContainEqual(expect.stringContaining('server.test.ts'))
      expect(JSON.stringify(facts)).toContain('TypeError')
      expect(JSON.stringify(facts)).not.toContain('secret')
    }
  })
})
