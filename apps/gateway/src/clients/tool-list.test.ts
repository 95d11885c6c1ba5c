import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editEvent, EventSplitter } from './event-stream.ts'
import { edited } from '../proxy/json-bytes.ts'
import { toolListEdits } from './tool-list.ts'

const mayCall = (name: string) => name.startsWith('get')
const cut = (text: string) => {
  const edits = toolListEdits(Buffer.from(text), mayCall)
  return edits && edited(Buffer.from(text), edits).toString()
}

describe('a list of tools', () => {
  it.each([
    ['the first', '{"result":{"tools":[{"name":"put"}, {"name":"get"}]}}', '{"result":{"tools":[{"name":"get"}]}}'],
    ['the last', '{"result":{"tools":[{"name":"get"} ,{"name":"put"} ]}}', '{"result":{"tools":[{"name":"get"} ]}}'],
    [
      'one in the middle',
      '{"result":{"tools":[{"name":"get"},\n {"name":"put"},\n {"name":"get2"}]}}',
      '{"result":{"tools":[{"name":"get"},\n {"name":"get2"}]}}',
    ],
    [
      'several in a row',
      '{"result":{"tools":[{"name":"a"},{"name":"b"},{"name":"get"},{"name":"c"},{"name":"d"}]}}',
      '{"result":{"tools":[{"name":"get"}]}}',
    ],
    ['all', '{"result":{"tools":[ {"name":"a"},{"name":"b"} ]}}', '{"result":{"tools":[  ]}}'],
    ['one with a name in escapes', '{"result":{"tools":[{"name":"\\u0070ut"}]}}', '{"result":{"tools":[]}}'],
    ['one without a name', '{"result":{"tools":[{"title":"get"}]}}', '{"result":{"tools":[]}}'],
    ['one with two names', '{"result":{"tools":[{"name":"get","name":"put"}]}}', '{"result":{"tools":[]}}'],
    ['what is no tool', '{"result":{"tools":[1,"get",null,[{"name":"get"}]]}}', '{"result":{"tools":[]}}'],
    [
      'one with brackets in its texts',
      '{"result":{"tools":[{"d":"}],[{\\"","name":"put"},{"d":"]}","name":"get"}]}}',
      '{"result":{"tools":[{"d":"]}","name":"get"}]}}',
    ],
    [
      'those of each answer in a batch',
      '[{"result":{"tools":[{"name":"put"}]}},{"result":{"tools":[{"name":"get"}]}}]',
      '[{"result":{"tools":[]}},{"result":{"tools":[{"name":"get"}]}}]',
    ],
    [
      'those of a member that is there twice',
      '{"result":{"tools":[{"name":"put"}]},"result":{"tools":[{"name":"put"}]}}',
      '{"result":{"tools":[]},"result":{"tools":[]}}',
    ],
  ])('loses %s', (_, before, after) => {
    expect(cut(before)).toBe(after)
  })

  it('loses the leave to be shared by caches together with a tool, not without one', () => {
    expect(cut('{"result":{"cacheScope" : "public","tools":[{"name":"put"}],"ttlMs":1}}')).toBe(
      '{"result":{"cacheScope" : "private","tools":[],"ttlMs":1}}',
    )
    expect(cut('{"result":{"cacheScope":"public","resources":[]}}')).toBe(
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
  ])('that is none stays as it is: %s', (text) => {
    expect(cut(text)).toBe(text)
  })

  it.each([
    ['tools that are no list', '{"result":{"tools":{"name":"put"}}}'],
    ['tools that are text', '{"result":{"tools":"[{\\"name\\":\\"put\\"}]"}}'],
    ['one of two members tools is no list', '{"result":{"tools":[],"tools":{"name":"put"}}}'],
    ['a result that is a list', '{"result":[{"tools":[{"name":"put"}]}]}'],
    ['a result that is text', '{"result":"tools"}'],
    ['one of two results is no object', '{"result":{"tools":[]},"result":[{"name":"put"}]}'],
    ['no JSON-RPC message', '{"params":{"tools":[{"name":"put"}]}}'],
    ['a result without a message around it', '{"tools":[{"name":"put"}]}'],
    ['a batch with something else in it', '[{"result":{"tools":[]}},["put"]]'],
    ['what ends too early', '{"result":{"tools":[{"name":"put"}]}'],
    ['something behind the message', '{"result":{"tools":[]}}{"result":{"tools":[{"name":"put"}]}}'],
    ['a byte order mark', '\ufeff{"result":{"tools":[{"name":"put"}]}}'],
    ['a comment', '/**/{"result":{"tools":[{"name":"put"}]}}'],
    ['nothing', ''],
    ['a value that is no message', 'null'],
  ])('is not recognized in %s: %s', (_, text) => {
    expect(cut(text)).toBeUndefined()
  })

  it.each([
    ['{"Result":{"TOOLS":[{"Name":"put"}]}}', '{"Result":{"TOOLS":[]}}'],
    ['{"re\\u0073ult":{"tool\\u0073":[{"name":"put"}]}}', '{"re\\u0073ult":{"tool\\u0073":[]}}'],
    ['{"result":{"toolſ":[{"name":"get","Name":"put"}]}}', '{"result":{"toolſ":[]}}'],
  ])('is found in other spellings of its names: %s', (before, after) => {
    expect(cut(before)).toBe(after)
  })

  it('keeps every byte of the tools that stay, whatever they hold', () => {
    const entry = fc.record({ name: fc.constantFrom('get', 'put', 'getter', 'delete'), more: fc.jsonValue() })
    const space = fc.constantFrom('', ' ', '\n', '\r\n\t')
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, space, space)), fc.jsonValue(), (entries, other) => {
        const texts = entries.map(([tool, before, after]) => before + JSON.stringify(tool) + after)
        const text = `{"result":{"other":${JSON.stringify(other)},"tools":[${texts.join(',')}],"z":1}}`
        const after = cut(text) ?? ''
        const { result } = JSON.parse(after) as { result: { tools: { name: string }[]; other: unknown } }
        const kept = entries.map(([tool]) => tool).filter(({ name }) => mayCall(name))
        expect(result.tools).toEqual(JSON.parse(JSON.stringify(kept)))
        for (const tool of kept) expect(after).toContain(JSON.stringify(tool))
        if (kept.length === entries.length) expect(after).toBe(text)
      }),
    )
  })
})

describe('a list of tools in an event', () => {
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
    ['with both kinds of line ends', `id: 7\r\ndata: ${list}\r\n\r\n`, `id: 7\r\ndata: ${short}\r\n\r\n`],
    ['with the old kind of line ends', `id: 7\rdata: ${list}\r\r`, `id: 7\rdata: ${short}\r\r`],
    [
      'on several lines',
      'data: {"result":{"tools":[{"name":\ndata: "put"},\ndata: {"name":"get"}]}}\n\n',
      'data: {"result":{"tools":[\ndata: \ndata: {"name":"get"}]}}\n\n',
    ],
  ])('is cut %s', (_, before, after) => {
    expect(edit(before)).toBe(after)
  })

  it('is not recognized in data that is no JSON', () => {
    expect(edit('data: no JSON\n\n')).toBeUndefined()
    expect(edit(`data: ${list}\ndata: ${list}\n\n`)).toBeUndefined()
  })

  it.each([': ping\n\n', 'event: x\n\n', 'database: {}\n\n', '\n'])('is not in %j, which stays as it is', (event) => {
    expect(edit(event)).toBe(event)
  })
})

describe('a stream of events', () => {
  const line = fc.constantFrom('data: {"a":"ü😀"}', 'id: 1', ': ping', '', 'retry: 5', 'x')
  const end = fc.constantFrom('\n', '\r\n', '\r')

  it('is taken apart at blank lines, however it arrives, and joined it is what it was', () => {
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
        expect(splitter.heldBytes).toBe(whole.heldBytes)
        expect(Buffer.concat([...events, splitter.rest()]).equals(bytes)).toBe(true)
        // Nothing that is complete is held back: what is held has no blank line in it.
        expect(whole.rest().toString()).not.toMatch(/^(\r\n|\r(?!$)|\n)|(\r\n|\n|\r(?!\n))(\r\n|\n|\r(?!\n))/)
      }),
    )
  })

  it('gives out a comment between events with the end of its line, and one in an event with the event', () => {
    const splitter = new EventSplitter()
    expect(splitter.push(Buffer.from(': pi'))).toEqual([])
    expect(splitter.push(Buffer.from('ng\n')).map(String)).toEqual([': ping\n'])
    expect(splitter.push(Buffer.from('data: 1\n: ping\n'))).toEqual([])
    expect(splitter.push(Buffer.from('\n: more\r')).map(String)).toEqual(['data: 1\n: ping\n\n', ': more\r'])
  })

  it('gives out an event with the last byte of its blank line', () => {
    const splitter = new EventSplitter()
    expect(splitter.push(Buffer.from('data: 1\n'))).toEqual([])
    expect(splitter.push(Buffer.from('\n')).map(String)).toEqual(['data: 1\n\n'])
    expect(splitter.push(Buffer.from('data: 2\r\n\r')).map(String)).toEqual(['data: 2\r\n\r'])
    expect(splitter.push(Buffer.from('\n')).map(String)).toEqual(['\n'])
    expect(splitter.heldBytes).toBe(0)
  })
})
