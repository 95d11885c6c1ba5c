import { describe, expect, it } from 'vitest'
import { Failure } from './platform/failure.ts'
import type { LogFields, Log } from './platform/log.ts'
import { afterSending } from './proxy/outcome.ts'
import type { ExchangeRecord } from './proxy/exchange.ts'
import { logCall } from './http-server.ts'

function logged(status: number, failure?: Failure): [string, LogFields] {
  const lines: [string, LogFields][] = []
  const at =
    (level: string) =>
    (_event: string, facts: LogFields = {}) =>
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
  return lines[0] as [string, LogFields]
}

describe('the log line of a call', () => {
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
  ])('for status %i has the level %s', (status, level) => {
    expect(logged(status)[0]).toBe(level)
  })

  it('shows a bug in the gateway with its stack frames, also when it is reported as an unknown outcome', () => {
    const cause = new TypeError('with a secret in it')
    const bug = new Failure('internal', 'The gateway failed.', { cause })
    for (const failure of [bug, afterSending(bug, 'may_change')]) {
      const [level, facts] = logged(502, failure)
      expect(level).toBe('error')
      expect(facts['at']).toContainEqual(expect.stringContaining('server.test.ts'))
      expect(JSON.stringify(facts)).toContain('TypeError')
      expect(JSON.stringify(facts)).not.toContain('secret')
    }
  })
})
