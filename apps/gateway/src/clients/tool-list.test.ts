import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editEvent, EventSplitter } from './event-stream.ts'
import { edited } from '../proxy/json-bytes.ts'
import { toolListEdits } from './tool-list.ts'

const mayCall = (name: string) => name.startsWith('get')
const filter = (text: string) => {
  const edits = toolListEdits(Buffer.from(text), mayCall)
  return edits && edited(Buffer.from(text), edits).toString()
}

describe('filtering a list of tools', () => {
  it.each([
    [
      'the first tool',
      '{"result":{"tools":[{"name":"put"}, {"name":"get"}]}}',
      '{"result":{"tools":[{"name":"get"}]}}',
    ],
    [
      'the last tool',
      '{"result":{"tools":[{"name":"get"} ,{"name":"put"} ]}}',
      '{"result":{"tools":[{"name":"get"} ]}}',
    ],
    [
      'a tool in the middle',
      '{"result":{"tools":[{"name":"get"},\n {"name":"put"},\n {"name":"get2"}]}}',
      '{"result":{"tools":[{"name":"get"},\n {"name":"get2"}]}}',
    ],
    [
      'several consecutive tools',
      '{"result":{"tools":[{"name":"a"},{"name":"b"},{"name":"get"},{"name":"c"},{"name":"d"}]}}',
      '{"result":{"tools":[{"name":"get"}]}}',
    ],
    ['all tools', '{"result":{"tools":[ {"name":"a"},{"name":"b"} ]}}', '{"result":{"tools":[  ]}}'],
    ['a tool with an escaped name', '{"result":{"tools":[{"name":"\\u0070ut"}]}}', '{"result":{"tools":[]}}'],
    ['a tool without a name', '{"result":{"tools":[{"title":"get"}]}}', '{"result":{"tools":[]}}'],
    ['a tool with two names', '{"result":{"tools":[{"name":"get","name":"put"}]}}', '{"result":{"tools":[]}}'],
    ['elements that are not tools', '{"result":{"tools":[1,"get",null,[{"name":"get"}]]}}', '{"result":{"tools":[]}}'],
    [
      'a tool with brackets in its strings',
      '{"result":{"tools":[{"d":"}],[{\\"","name":"put"},{"d":"]}","name":"get"}]}}',
      '{"result":{"tools":[{"d":"]}","name":"get"}]}}',
    ],
    [
      'tools from each response in a batch',
      '[{"result":{"tools":[{"name":"put"}]}},{"result":{"tools":[{"name":"get"}]}}]',
      '[{"result":{"tools":[]}},{"result":{"tools":[{"name":"get"}]}}]',
    ],
    [
      'tools from a duplicate member',
      '{"result":{"tools":[{"name":"put"}]},"result":{"tools":[{"name":"put"}]}}',
      '{"result":{"tools":[]},"result":{"tools":[]}}',
    ],
  ])('removes %s', (_, before, after) => {
    expect(filter(before)).toBe(after)
  })

  it('makes the cache scope private in lists of tools only', () => {
    expect(filter('{"result":{"cacheScope" : "public","tools":[{"name":"put"}],"ttlMs":1}}')).toBe(
      '{"result":{"cacheScope" : "private","tools":[],"ttlMs":1}}',
    )
    expect(filter('{"result":{"cacheScope":"public","resources":[]}}')).toBe(
      '{"result":{"cacheScope":"public","resources":[]}}',
    )
  })

  it.each([
    '{"error":{"data":{"tools":[{"name":"put"}]}}}',
    '{"method":"sampling/createMessage","params":{"tools":[{"name":"put"}]}}',
    '{"result":{}}',
    '{"result":{"content":[{"tools":[{"name":"put"}]}]}}',
    '[{"error":{}},{"result":{"resources":[]}}]',
    '[]',
  ])('leaves a message without a list of tools unchanged: %s', (text) => {
    expect(filter(text)).toBe(text)
  })

  it.each([
    ['tools that are not an array', '{"result":{"tools":{"name":"put"}}}'],
    ['tools that are a string', '{"result":{"tools":"[{\\"name\\":\\"put\\"}]"}}'],
    ['a duplicate member tools that is not an array', '{"result":{"tools":[],"tools":{"name":"put"}}}'],
    ['a result that is an array', '{"result":[{"tools":[{"name":"put"}]}]}'],
    ['a result that is a string', '{"result":"tools"}'],
    ['a duplicate result that is not an object', '{"result":{"tools":[]},"result":[{"name":"put"}]}'],
    ['a message that is not JSON-RPC', '{"params":{"tools":[{"name":"put"}]}}'],
    ['a result without its message', '{"tools":[{"name":"put"}]}'],
    ['a batch with an element that is not a message', '[{"result":{"tools":[]}},["put"]]'],
    ['truncated JSON', '{"result":{"tools":[{"name":"put"}]}'],
    ['text after the message', '{"result":{"tools":[]}}{"result":{"tools":[{"name":"put"}]}}'],
    ['a byte order mark', '\ufeff{"result":{"tools":[{"name":"put"}]}}'],
    ['a comment', '/**/{"result":{"tools":[{"name":"put"}]}}'],
    ['an empty text', ''],
    ['a value that is not a message', 'null'],
  ])('rejects %s: %s', (_, text) => {
    expect(filter(text)).toBeUndefined()
  })

  it.each([
    ['{"Result":{"TOOLS":[{"Name":"put"}]}}', '{"Result":{"TOOLS":[]}}'],
    ['{"re\\u0073ult":{"tool\\u0073":[{"name":"put"}]}}', '{"re\\u0073ult":{"tool\\u0073":[]}}'],
    ['{"result":{"toolſ":[{"name":"get","Name":"put"}]}}', '{"result":{"toolſ":[]}}'],
  ])('recognizes member names in other spellings: %s', (before, after) => {
    expect(filter(before)).toBe(after)
  })

  it('keeps each byte of the remaining tools', () => {
    const entry = fc.record({ name: fc.constantFrom('get', 'put', 'getter', 'delete'), more: fc.jsonValue() })
    const space = fc.constantFrom('', ' ', '\n', '\r\n\t')
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, space, space)), fc.jsonValue(), (entries, other) => {
        const texts = entries.map(([tool, before, after]) => before + JSON.stringify(tool) + after)
        const text = `{"result":{"other":${JSON.stringify(other)},"tools":[${texts.join(',')}],"z":1}}`
        const after = filter(text) ?? ''
        const { result } = JSON.parse(after) as { result: { tools: { name: string }[]; other: unknown } }
        const kept = entries.map(([tool]) => tool).filter(({ name }) => mayCall(name))
        expect(result.tools).toEqual(JSON.parse(JSON.stringify(kept)))
        for (const tool of kept) expect(after).toContain(JSON.stringify(tool))
        if (kept.length === entries.length) expect(after).toBe(text)
      }),
    )
  })
})

describe('filtering a list of tools in an event', () => {
  const edit = (event: string) => editEvent(Buffer.from(event), (data) => toolListEdits(data, mayCall))?.toString()
  const list = '{"result":{"tools":[{"name":"put"},{"name":"get"}]}}'
  const short = '{"result":{"tools":[{"name":"get"}]}}'

  it.each([
    [
      'with other fields',
      `event: message\nid: 7\ndata: ${list}\nretry: 5\n\n`,
      `event: message\nid: 7\ndata: ${short}\nretry: 5\n\n`,
    ],
    ['with a comment', `: data: x\ndata:${list}\n\n`, `: data: x\ndata:${short}\n\n`],
    ['with CRLF', `id: 7\r\ndata: ${list}\r\n\r\n`, `id: 7\r\ndata: ${short}\r\n\r\n`],
    ['with CR', `id: 7\rdata: ${list}\r\r`, `id: 7\rdata: ${short}\r\r`],
    [
      'with data on several lines',
      'data: {"result":{"tools":[{"name":\ndata: "put"},\ndata: {"name":"get"}]}}\n\n',
      'data: {"result":{"tools":[\ndata: \ndata: {"name":"get"}]}}\n\n',
    ],
  ])('filters an event %s', (_, before, after) => {
    expect(edit(before)).toBe(after)
  })

  it('rejects data that is not JSON', () => {
    expect(edit('data: no JSON\n\n')).toBeUndefined()
    expect(edit(`data: ${list}\ndata: ${list}\n\n`)).toBeUndefined()
  })

  it.each([': ping\n\n', 'event: x\n\n', 'database: {}\n\n', '\n'])(
    'leaves an event without data unchanged: %j',
    (event) => {
      expect(edit(event)).toBe(event)
    },
  )
})

describe('EventSplitter', () => {
  const line = fc.constantFrom('data: {"a":"ü😀"}', 'id: 1', ': ping', '', 'retry: 5', 'x')
  const end = fc.constantFrom('\n', '\r\n', '\r')

  it('splits at blank lines for any chunking, and preserves all bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(line, end)), fc.array(fc.nat(7)), (lines, sizes) => {
        const bytes = Buffer.from(lines.map(([text, ending]) => text + ending).join(''))
        const splitter = new EventSplitter()
        const events: Buffer[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = (sizes[i % (sizes.length || 1)] ?? 0) + 1
          events.push(...splitter.push(bytes.subarray(at, at + size)))
          at += size
        }
        const whole = new EventSplitter()
        const atOnce = whole.push(bytes)
        expect(Buffer.concat(events).toString()).toBe(Buffer.concat(atOnce).toString())
        expect(splitter.bufferedBytes).toBe(whole.bufferedBytes)
        expect(Buffer.concat([...events, splitter.rest()]).equals(bytes)).toBe(true)
        // Complete events are not held back: the buffered bytes contain no blank line.
        expect(whole.rest().toString()).not.toMatch(/^(\r\n|\r(?!$)|\n)|(\r\n|\n|\r(?!\n))(\r\n|\n|\r(?!\n))/)
      }),
    )
  })

  it('returns a comment between events at the end of its line, and a comment within an event with the event', () => {
    const splitter = new EventSplitter()
    expect(splitter.push(Buffer.from(': pi'))).toEqual([])
    expect(splitter.push(Buffer.from('ng\n')).map(String)).toEqual([': ping\n'])
    expect(splitter.push(Buffer.from('data: 1\n: ping\n'))).toEqual([])
    expect(splitter.push(Buffer.from('\n: more\r')).map(String)).toEqual(['data: 1\n: ping\n\n', ': more\r'])
  })

  it('returns an event with the last byte of its blank line', () => {
    const splitter = new EventSplitter()
    expect(splitter.push(Buffer.from('data: 1\n'))).toEqual([])
    expect(splitter.push(Buffer.from('\n')).map(String)).toEqual(['data: 1\n\n'])
    expect(splitter.push(Buffer.from('data: 2\r\n\r')).map(String)).toEqual(['data: 2\r\n\r'])
    expect(splitter.push(Buffer.from('\n')).map(String)).toEqual(['\n'])
    expect(splitter.bufferedBytes).toBe(0)
  })
})
