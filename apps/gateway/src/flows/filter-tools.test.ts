import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnswerHeaders } from '../domain/envelope-headers.ts'
import { Failure } from '../failure.ts'
import { filterTools } from './filter-tools.ts'

/** Where an answer ends up. */
function reader({ hasRoom = true } = {}) {
  const seen = {
    status: 0,
    headers: undefined as AnswerHeaders | undefined,
    body: '',
    isEnded: false,
    failure: undefined as unknown,
  }
  const answer = {
    answered(status: number, headers: AnswerHeaders) {
      seen.status = status
      seen.headers = headers
    },
    received(bytes: Buffer) {
      seen.body += bytes.toString('latin1')
      return hasRoom
    },
    ended() {
      seen.isEnded = true
    },
    failed(reason: unknown) {
      seen.failure = reason
    },
  }
  return { seen, filter: filterTools(answer, (name) => name === 'get') }
}

const head = (type: string, ...more: string[]): AnswerHeaders => ({
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
        filter.answered(200, head(type))
        const borders = [0, ...places.toSorted((a, b) => a - b), bytes.length]
        for (const [i, end] of borders.entries()) filter.received(bytes.subarray(borders[i - 1] ?? 0, end))
        filter.ended()
        expect(seen.body).toBe(latin1(cut))
        expect(seen.isEnded).toBe(true)
        expect(seen.headers?.contentLength).toBeUndefined()
      }),
    )
  })

  it('passes event by event', () => {
    const { seen, filter } = reader()
    filter.answered(200, head('text/event-stream'))
    expect(seen.status).toBe(200)
    filter.received(Buffer.from(`: ping\n\ndata: ${list}\n`))
    expect(seen.body).toBe(': ping\n\n')
    filter.received(Buffer.from('\n'))
    expect(seen.body).toBe(latin1(`: ping\n\ndata: ${short}\n\n`))
  })

  it('no longer has the tag of what it was', () => {
    const { seen, filter } = reader()
    filter.answered(200, head('text/event-stream', 'ETag', '"1"', 'Cache-Control', 'no-store'))
    expect(seen.headers?.forward).toEqual(['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store'])
  })

  it('slows upstream down when its reader is slow', () => {
    const { filter } = reader({ hasRoom: false })
    filter.answered(200, head('text/event-stream'))
    expect(filter.received(Buffer.from('data: 1\n\n'))).toBe(false)
    expect(filter.received(Buffer.from('data: 2'))).toBe(true)
  })

  it('that breaks off breaks off', () => {
    const { seen, filter } = reader()
    filter.answered(200, head('application/json'))
    filter.received(Buffer.from(list.slice(0, 20)))
    const failure = new Failure('upstream_unreachable', 'It broke.')
    filter.failed(failure)
    expect(seen).toMatchObject({ failure, status: 0, body: '', isEnded: false })
  })

  it('that is compressed cannot be cut, and is refused', () => {
    const { seen, filter } = reader()
    filter.answered(200, head('application/json', 'Content-Encoding', 'gzip'))
    filter.received(Buffer.from('...'))
    filter.ended()
    expect(seen).toMatchObject({ failure: { code: 'outcome_unknown' }, status: 0, body: '', isEnded: false })
  })

  it('that never ends is refused before it fills the memory', () => {
    const { seen, filter } = reader()
    filter.answered(200, head('application/json'))
    for (let i = 0; i < 20; i++) filter.received(Buffer.alloc(1024 * 1024, 0x20))
    expect(seen).toMatchObject({ failure: { code: 'outcome_unknown' }, status: 0, body: '' })
  })
})

describe('another answer', () => {
  it.each([
    [200, 'text/plain', list],
    [404, 'application/json', list],
    [200, 'application/json', '{"error":'],
    [200, 'text/event-stream', 'data: x\n\ndata'],
  ])('with %i and %s passes as it is', (status, type, text) => {
    const { seen, filter } = reader()
    filter.answered(status, head(type))
    filter.received(Buffer.from(text))
    filter.ended()
    expect(seen).toMatchObject({ status, body: latin1(text), isEnded: true })
  })
})
