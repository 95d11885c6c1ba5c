import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ResponseHeaders } from '../proxy/headers.ts'
import { FilterMemory, filterTools } from './filter-tools.ts'

/** Where an answer ends up. */
function reader({ hasRoom = true, memory = new FilterMemory() } = {}) {
  const seen = {
    status: 0,
    headers: undefined as ResponseHeaders | undefined,
    body: '',
    isEnded: false,
    failure: undefined as unknown,
  }
  const answer = {
    onHeaders(status: number, headers: ResponseHeaders) {
      seen.status = status
      seen.headers = headers
    },
    onData(bytes: Buffer) {
      seen.body += bytes.toString('latin1')
      return hasRoom
    },
    onEnd() {
      seen.isEnded = true
    },
  }
  const tested = filterTools(answer, (name) => name === 'get', memory)
  // An exchange ends with the first failure.
  const unlessFailed = <T>(work: () => T): T | undefined => {
    if (seen.failure !== undefined) return undefined
    try {
      return work()
    } catch (failure) {
      seen.failure = failure
      return undefined
    }
  }
  const filter = {
    onHeaders: (status: number, headers: ResponseHeaders) => unlessFailed(() => tested.onHeaders(status, headers)),
    onData: (bytes: Buffer) => unlessFailed(() => tested.onData(bytes)),
    onEnd: () => unlessFailed(() => tested.onEnd()),
    release: () => tested.release(),
  }
  return { seen, filter }
}

const head = (type: string, ...more: string[]): ResponseHeaders => ({
  forward: ['Content-Type', type, ...more],
  contentLength: '1000',
  sessionId: undefined,
  challenge: undefined,
})
const list = '{"id":1,"result":{"tools":[{"name":"put","d":"ü😀"},{"name":"get","d":"ü😀"}]}}'
const short = '{"id":1,"result":{"tools":[{"name":"get","d":"ü😀"}]}}'
const latin1 = (text: string) => Buffer.from(text).toString('latin1')

describe('an answer with tools', () => {
  it.each([
    ['application/json', list, short],
    ['application/json; charset=utf-8', list, short],
    [
      'text/event-stream',
      `: x\n\ndata: ${list}\r\n\r\nid: 7\ndata: ${list}\n\n`,
      `: x\n\ndata: ${short}\r\n\r\nid: 7\ndata: ${short}\n\n`,
    ],
    ['text/event-stream', `data: ${list}\n`, `data: ${short}\n`],
  ])('as %s is the same, cut anywhere on its way', (type, text, cut) => {
    const bytes = Buffer.from(text)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (places) => {
        const { seen, filter } = reader()
        filter.onHeaders(200, head(type))
        const borders = [0, ...places.toSorted((a, b) => a - b), bytes.length]
        for (const [i, end] of borders.entries()) filter.onData(bytes.subarray(borders[i - 1] ?? 0, end))
        filter.onEnd()
        expect(seen.body).toBe(latin1(cut))
        expect(seen.isEnded).toBe(true)
        expect(seen.headers?.contentLength).toBeUndefined()
      }),
    )
  })

  it('passes event by event', () => {
    const { seen, filter } = reader()
    filter.onHeaders(200, head('text/event-stream'))
    expect(seen.status).toBe(200)
    filter.onData(Buffer.from(`: ping\n\ndata: ${list}\n`))
    expect(seen.body).toBe(': ping\n\n')
    filter.onData(Buffer.from('\n'))
    expect(seen.body).toBe(latin1(`: ping\n\ndata: ${short}\n\n`))
  })

  it('no longer has the tag of what it was', () => {
    const { seen, filter } = reader()
    filter.onHeaders(200, head('text/event-stream', 'ETag', '"1"', 'Cache-Control', 'no-store'))
    expect(seen.headers?.forward).toEqual(['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store'])
  })

  it('slows upstream down when its reader is slow', () => {
    const { filter } = reader({ hasRoom: false })
    filter.onHeaders(200, head('text/event-stream'))
    expect(filter.onData(Buffer.from('data: {"method":"x"}\n\n'))).toBe(false)
    expect(filter.onData(Buffer.from('data: 2'))).toBe(true)
  })

  it('passes nothing of a list that breaks off', () => {
    const { seen, filter } = reader()
    filter.onHeaders(200, head('application/json'))
    filter.onData(Buffer.from(list.slice(0, 20)))
    expect(seen).toMatchObject({ status: 0, body: '', isEnded: false })
  })

  it('that is compressed cannot be cut, and is refused', () => {
    const { seen, filter } = reader()
    filter.onHeaders(200, head('application/json', 'Content-Encoding', 'gzip'))
    filter.onData(Buffer.from('...'))
    filter.onEnd()
    expect(seen).toMatchObject({ failure: { code: 'outcome_unknown' }, status: 0, body: '', isEnded: false })
  })

  it('that never ends is refused before it fills the memory', () => {
    const { seen, filter } = reader()
    filter.onHeaders(200, head('application/json'))
    for (let i = 0; i < 20; i++) filter.onData(Buffer.alloc(1024 * 1024, 0x20))
    expect(seen).toMatchObject({ failure: { code: 'outcome_unknown' }, status: 0, body: '' })
  })

  it.each(['application/json', 'text/event-stream'])(
    'as %s shares its memory with all others that are under way',
    (type) => {
      const memory = new FilterMemory(5 * 1024 * 1024)
      const held = Buffer.alloc(2 * 1024 * 1024, 'x')
      const readers = [reader({ memory }), reader({ memory }), reader({ memory })]
      for (const { filter } of readers) {
        filter.onHeaders(200, head(type))
        filter.onData(held)
      }
      const failures = readers.map(({ seen }) => seen.failure)
      expect(failures).toMatchObject([undefined, undefined, { code: 'outcome_unknown', status: 503 }])
      // One whose caller has gone gives its memory back.
      readers[0]?.filter.release()
      readers[0]?.filter.release()
      const last = reader({ memory })
      last.filter.onHeaders(200, head(type))
      last.filter.onData(held)
      expect(last.seen.failure).toBeUndefined()
    },
  )
})

describe('another answer', () => {
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
  ])('with %i and %s passes as it is', (status, type, text) => {
    const { seen, filter } = reader()
    filter.onHeaders(status, type === '' ? { ...head(''), forward: [] } : head(type))
    filter.onData(Buffer.from(text))
    filter.onEnd()
    expect(seen).toMatchObject({ status, body: latin1(text), isEnded: true })
  })

  it.each([200, 201, 203, 206, 226, 299])('with %i is filtered as well', (status) => {
    const { seen, filter } = reader()
    filter.onHeaders(status, head('application/json'))
    filter.onData(Buffer.from(list))
    filter.onEnd()
    expect(seen).toMatchObject({ status, body: latin1(short), isEnded: true })
  })

  it.each([
    ['another type', ['Content-Type', 'text/plain'], list],
    ['a type that is JSON under another name', ['Content-Type', 'application/vnd.mcp+json'], list],
    ['no type', [], list],
    ['an empty type', ['Content-Type', ''], list],
    ['two types', ['Content-Type', 'application/json', 'content-type', 'text/event-stream'], list],
    ['two types in one', ['Content-Type', 'application/json, text/event-stream'], list],
    ['another character set', ['Content-Type', 'application/json; charset=utf-16le'], Buffer.from(list, 'utf16le')],
    ['a character set that looks the same', ['Content-Type', 'application/json; charset=utf-7'], list],
    ['a second coding', ['Content-Type', 'application/json', 'Content-Encoding', 'identity, gzip'], list],
    ['text that is no JSON', ['Content-Type', 'application/json'], '{"result":{"tools":['],
    ['tools that are no list', ['Content-Type', 'application/json'], '{"result":{"tools":{"put":{}}}}'],
    ['a result that is no message', ['Content-Type', 'application/json'], '{"tools":[{"name":"put"}]}'],
    ['an event that is no JSON', ['Content-Type', 'text/event-stream'], 'data: {"result":\n\n'],
    ['an event behind a byte order mark', ['Content-Type', 'text/event-stream'], `\ufeffdata: ${list}\n\n`],
    ['a last event without its end', ['Content-Type', 'text/event-stream'], 'data: {"result":{"tools":'],
    ['events of another character set', ['Content-Type', 'text/event-stream; charset=utf-16'], `data: ${list}\n\n`],
  ])('that is no error and has %s is refused', (_, forward, body) => {
    for (const status of [200, 201]) {
      const { seen, filter } = reader()
      filter.onHeaders(status, { ...head(''), forward })
      filter.onData(Buffer.from(body as string))
      filter.onEnd()
      expect(seen).toMatchObject({ failure: { code: 'outcome_unknown' }, body: '', isEnded: false })
    }
  })
})
