import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ResponseHeaders } from '../proxy/headers.ts'
import { FilterMemory, filterTools } from './filter-tools.ts'

/** A filter whose output, state and failure are recorded. */
function recordingFilter({ hasRoom = true, memory = new FilterMemory() } = {}) {
  const recorded = {
    status: 0,
    headers: undefined as ResponseHeaders | undefined,
    body: '',
    isEnded: false,
    failure: undefined as unknown,
  }
  const sink = {
    onHeaders(status: number, headers: ResponseHeaders) {
      recorded.status = status
      recorded.headers = headers
    },
    onData(bytes: Buffer) {
      recorded.body += bytes.toString('latin1')
      return hasRoom
    },
    onEnd() {
      recorded.isEnded = true
    },
  }
  const tested = filterTools(sink, (name) => name === 'get', memory)
  // An exchange ends at the first failure, so later calls are ignored.
  const unlessFailed = <T>(work: () => T): T | undefined => {
    if (recorded.failure !== undefined) return undefined
    try {
      return work()
    } catch (failure) {
      recorded.failure = failure
      return undefined
    }
  }
  const filter = {
    onHeaders: (status: number, headers: ResponseHeaders) => unlessFailed(() => tested.onHeaders(status, headers)),
    onData: (bytes: Buffer) => unlessFailed(() => tested.onData(bytes)),
    onEnd: () => unlessFailed(() => tested.onEnd()),
    release: () => tested.release(),
  }
  return { recorded, filter }
}

const head = (type: string, ...more: string[]): ResponseHeaders => ({
  forward: ['Content-Type', type, ...more],
  contentLength: '1000',
  sessionId: undefined,
  challenge: undefined,
})
const list = '{"id":1,"result":{"tools":[{"name":"put","d":"ü😀"},{"name":"get","d":"ü😀"}]}}'
const filteredList = '{"id":1,"result":{"tools":[{"name":"get","d":"ü😀"}]}}'
const latin1 = (text: string) => Buffer.from(text).toString('latin1')

describe('a response with tools', () => {
  it.each([
    ['application/json', list, filteredList],
    ['application/json; charset=utf-8', list, filteredList],
    [
      'text/event-stream',
      `: x\n\ndata: ${list}\r\n\r\nid: 7\ndata: ${list}\n\n`,
      `: x\n\ndata: ${filteredList}\r\n\r\nid: 7\ndata: ${filteredList}\n\n`,
    ],
    ['text/event-stream', `data: ${list}\n`, `data: ${filteredList}\n`],
  ])('as %s is filtered for any chunking', (type, text, filteredText) => {
    const bytes = Buffer.from(text)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (positions) => {
        const { recorded, filter } = recordingFilter()
        filter.onHeaders(200, head(type))
        const boundaries = [0, ...positions.toSorted((a, b) => a - b), bytes.length]
        for (const [i, end] of boundaries.entries()) filter.onData(bytes.subarray(boundaries[i - 1] ?? 0, end))
        filter.onEnd()
        expect(recorded.body).toBe(latin1(filteredText))
        expect(recorded.isEnded).toBe(true)
        expect(recorded.headers?.contentLength).toBeUndefined()
      }),
    )
  })

  it('is forwarded event by event', () => {
    const { recorded, filter } = recordingFilter()
    filter.onHeaders(200, head('text/event-stream'))
    expect(recorded.status).toBe(200)
    filter.onData(Buffer.from(`: ping\n\ndata: ${list}\n`))
    expect(recorded.body).toBe(': ping\n\n')
    filter.onData(Buffer.from('\n'))
    expect(recorded.body).toBe(latin1(`: ping\n\ndata: ${filteredList}\n\n`))
  })

  it('loses its ETag', () => {
    const { recorded, filter } = recordingFilter()
    filter.onHeaders(200, head('text/event-stream', 'ETag', '"1"', 'Cache-Control', 'no-store'))
    expect(recorded.headers?.forward).toEqual(['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store'])
  })

  it('passes the backpressure of the sink on', () => {
    const { filter } = recordingFilter({ hasRoom: false })
    filter.onHeaders(200, head('text/event-stream'))
    expect(filter.onData(Buffer.from('data: {"method":"x"}\n\n'))).toBe(false)
    expect(filter.onData(Buffer.from('data: 2'))).toBe(true)
  })

  it('is not forwarded if it is interrupted', () => {
    const { recorded, filter } = recordingFilter()
    filter.onHeaders(200, head('application/json'))
    filter.onData(Buffer.from(list.slice(0, 20)))
    expect(recorded).toMatchObject({ status: 0, body: '', isEnded: false })
  })

  it('is rejected if it is compressed', () => {
    const { recorded, filter } = recordingFilter()
    filter.onHeaders(200, head('application/json', 'Content-Encoding', 'gzip'))
    filter.onData(Buffer.from('...'))
    filter.onEnd()
    expect(recorded).toMatchObject({ failure: { code: 'outcome_unknown' }, status: 0, body: '', isEnded: false })
  })

  it('is rejected if it exceeds the maximum size', () => {
    const { recorded, filter } = recordingFilter()
    filter.onHeaders(200, head('application/json'))
    for (let i = 0; i < 20; i++) filter.onData(Buffer.alloc(1024 * 1024, 0x20))
    expect(recorded).toMatchObject({ failure: { code: 'outcome_unknown' }, status: 0, body: '' })
  })

  it.each(['application/json', 'text/event-stream'])(
    'as %s shares the memory limit with all other responses',
    (type) => {
      const memory = new FilterMemory(5 * 1024 * 1024)
      const chunk = Buffer.alloc(2 * 1024 * 1024, 'x')
      const filters = [recordingFilter({ memory }), recordingFilter({ memory }), recordingFilter({ memory })]
      for (const { filter } of filters) {
        filter.onHeaders(200, head(type))
        filter.onData(chunk)
      }
      const failures = filters.map(({ recorded }) => recorded.failure)
      expect(failures).toMatchObject([undefined, undefined, { code: 'outcome_unknown', status: 503 }])
      // A response whose caller has disconnected releases its memory, also if it is released twice.
      filters[0]?.filter.release()
      filters[0]?.filter.release()
      const last = recordingFilter({ memory })
      last.filter.onHeaders(200, head(type))
      last.filter.onData(chunk)
      expect(last.recorded.failure).toBeUndefined()
    },
  )
})

describe('another response', () => {
  it.each([
    [404, 'application/json', list],
    [400, 'text/plain', 'bad'],
    [503, 'text/html', '<html>'],
    [202, 'text/plain', ''],
    [204, '', ''],
    [200, 'application/json', ''],
    [200, 'application/json', '{"id":1,"error":{"code":-32601}}'],
    [200, 'text/event-stream', 'id: 1\ndata:\n\ndata: {"method":"ping","id":1}\n\n'],
    [200, 'text/event-stream', 'data\n\nretry: 5\n\n: ping\n\n'],
    [201, 'application/json', '{"id":1,"result":{}}'],
  ])('with %i and %s is forwarded unchanged', (status, type, text) => {
    const { recorded, filter } = recordingFilter()
    filter.onHeaders(status, type === '' ? { ...head(''), forward: [] } : head(type))
    filter.onData(Buffer.from(text))
    filter.onEnd()
    expect(recorded).toMatchObject({ status, body: latin1(text), isEnded: true })
  })

  it.each([200, 201, 203, 206, 226, 299])('with %i is filtered as well', (status) => {
    const { recorded, filter } = recordingFilter()
    filter.onHeaders(status, head('application/json'))
    filter.onData(Buffer.from(list))
    filter.onEnd()
    expect(recorded).toMatchObject({ status, body: latin1(filteredList), isEnded: true })
  })

  it.each([
    ['another type', ['Content-Type', 'text/plain'], list],
    ['another JSON type', ['Content-Type', 'application/vnd.mcp+json'], list],
    ['no type', [], list],
    ['an empty type', ['Content-Type', ''], list],
    ['two types', ['Content-Type', 'application/json', 'content-type', 'text/event-stream'], list],
    ['two types in one', ['Content-Type', 'application/json, text/event-stream'], list],
    ['another character set', ['Content-Type', 'application/json; charset=utf-16le'], Buffer.from(list, 'utf16le')],
    ['an ASCII-compatible character set', ['Content-Type', 'application/json; charset=utf-7'], list],
    ['a second content coding', ['Content-Type', 'application/json', 'Content-Encoding', 'identity, gzip'], list],
    ['text that is not JSON', ['Content-Type', 'application/json'], '{"result":{"tools":['],
    ['tools that are not an array', ['Content-Type', 'application/json'], '{"result":{"tools":{"put":{}}}}'],
    ['a result without its message', ['Content-Type', 'application/json'], '{"tools":[{"name":"put"}]}'],
    ['an event that is not JSON', ['Content-Type', 'text/event-stream'], 'data: {"result":\n\n'],
    ['an event after a byte order mark', ['Content-Type', 'text/event-stream'], `\ufeffdata: ${list}\n\n`],
    ['a truncated last event', ['Content-Type', 'text/event-stream'], 'data: {"result":{"tools":'],
    ['events in another character set', ['Content-Type', 'text/event-stream; charset=utf-16'], `data: ${list}\n\n`],
  ])('that is not an error and has %s is rejected', (_, forward, body) => {
    for (const status of [200, 201]) {
      const { recorded, filter } = recordingFilter()
      filter.onHeaders(status, { ...head(''), forward })
      filter.onData(Buffer.from(body as string))
      filter.onEnd()
      expect(recorded).toMatchObject({ failure: { code: 'outcome_unknown' }, body: '', isEnded: false })
    }
  })
})
