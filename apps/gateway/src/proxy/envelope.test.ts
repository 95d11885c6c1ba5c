import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Envelope, readEnvelope } from './envelope.ts'

function read(text: string | Buffer): ReturnType<typeof readEnvelope> {
  return readEnvelope(Buffer.from(text))
}

function accepted(text: string | Buffer): Envelope {
  const envelope = read(text)
  if (envelope.refused !== undefined) throw new Error(`refused: ${envelope.detail}`)
  return envelope
}

/** What goes on, as text that shows every byte. */
function forwarded(text: string): string {
  return accepted(text).forward.toString('utf8')
}

describe('a message with meta', () => {
  it.each([
    ['the only member', '{"meta":{}}', '{}'],
    ['the first', '{"meta":{"space_id":"north"},"id":1}', '{"id":1}'],
    ['in the middle', '{"id":1,"meta":{},"method":"ping"}', '{"id":1,"method":"ping"}'],
    ['the last', '{"id":1,"meta":{}}', '{"id":1}'],
    ['with white space around it', ' {\n "id" : 1 ,\t"meta" : { } \r\n} ', ' {\n "id" : 1  \r\n} '],
    ['first, with white space around it', '{ "meta" : { } , "id":1}', '{  "id":1}'],
    ['alone, with white space around it', '{ "meta" : { } }', '{  }'],
    ['with an escape in its name', '{"id":1,"me\\u0074a":{"space_id":"north"}}', '{"id":1}'],
    ['all of its name escaped', '{"\\u006D\\u0065\\u0074\\u0061":{}}', '{}'],
    ['null', '{"meta":null,"id":1}', '{"id":1}'],
    ['a string', '{"meta":"a,b}","id":1}', '{"id":1}'],
    ['deep', '{"meta":{"a":[{"meta":{}}]},"id":1}', '{"id":1}'],
  ])('%s loses it and one comma, and no other byte', (_, text, expected) => {
    expect(forwarded(text)).toBe(expected)
  })

  it.each([
    ['of another case', '{"Meta":{}}'],
    ['in params', '{"params":{"meta":{"space_id":"north"}}}'],
    ['named _meta', '{"params":{"_meta":{}},"_meta":{}}'],
    ['in a string', '{"a":"{\\"meta\\":{}}"}'],
    ['in an array of arrays', '[[{"meta":{}}]]'],
    ['longer', '{"metadata":{},"meta ":{},"met":{}}'],
  ])('keeps a member that only looks like it: %s', (_, text) => {
    expect(forwarded(text)).toBe(text)
  })

  it('is the very same buffer when there is nothing to take out', () => {
    const body = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    expect(accepted(body).forward.equals(body)).toBe(true)
    const envelope = readEnvelope(body)
    expect(envelope.refused === undefined && envelope.forward).toBe(body)
  })

  it('keeps what parsing and writing again would change', () => {
    const rest = '"id":12345678901234567890,"a":1.0,"b":1E+2,"c":"\\ud800","d":"\\/","d":"again","e":-0,"é":"\u{1f600}"'
    expect(forwarded(`{${rest},"meta":{"space_id":"north"}}`)).toBe(`{${rest}}`)
  })

  it('says who and where', () => {
    expect(
      accepted('{"id":"a\\"b","method":"tools/call","meta":{"space_id":"n\\u006frth","user_id":"ada"}}'),
    ).toMatchObject({
      spaceId: 'north',
      userId: 'ada',
      method: 'tools/call',
      id: '"a\\"b"',
    })
  })

  it.each([
    '{"meta":{"space_id":null,"user_id":null}}',
    '{"meta":{"space_id":"","user_id":""}}',
    '{"meta":{}}',
    '{"meta":[]}',
  ])('names nobody in %s', (text) => {
    expect(accepted(text)).toMatchObject({ spaceId: undefined, userId: undefined })
  })

  it('reads the method that upstream will read', () => {
    expect(accepted('{"method":"ping","m\\u0065thod":"tools/call"}').method).toBe('tools/call')
    expect(accepted('{"method":"ping","method":7}').method).toBeUndefined()
  })
})

describe('a message that two readers may understand differently', () => {
  it.each([
    ['two of them', '{"meta":{"space_id":"north"},"meta":{"space_id":"south"}}'],
    ['two of them, one written with an escape', '{"meta":{},"id":1,"met\\u0061":{}}'],
    ['two spaces', '{"meta":{"space_id":"north","space_id":"south"}}'],
    ['the same space twice', '{"meta":{"space_id":"north","space\\u005fid":"north"}}'],
    ['two persons', '{"meta":{"user_id":"ada","user_id":"ben"}}'],
    ['a space that is a number', '{"meta":{"space_id":7}}'],
    ['a space that is a list', '{"meta":{"space_id":["north"]}}'],
    ['a person that is an object', '{"meta":{"user_id":{}}}'],
  ])('is refused: %s', (_, text) => {
    expect(read(text)).toMatchObject({ refused: 'invalid_request' })
  })
})

describe('a batch', () => {
  it('loses meta in each of its messages', () => {
    const text =
      '[ {"id":1,"meta":{"space_id":"north"}} , {"meta":{"space_id":"north","user_id":"ada"},"id":2,"method":"ping"}, 7, [] ]'
    expect(accepted(text)).toMatchObject({ spaceId: 'north', userId: 'ada', method: undefined, id: undefined })
    expect(forwarded(text)).toBe('[ {"id":1} , {"id":2,"method":"ping"}, 7, [] ]')
  })

  it('is refused when its messages name different spaces', () => {
    expect(read('[{"meta":{"space_id":"north"}},{"meta":{"space_id":"south"}}]')).toMatchObject({
      refused: 'forbidden_space',
    })
    expect(read('[{"meta":{"user_id":"ada"}},{"meta":{"user_id":"ben"}}]')).toMatchObject({
      refused: 'forbidden_space',
    })
  })

  it('may be empty', () => {
    expect(forwarded(' [ ] ')).toBe(' [ ] ')
  })
})

describe('a body that is not JSON', () => {
  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['half a message', '{"id":1'],
    ['two messages', '{}{}'],
    ['a comma too many', '{"id":1,}'],
    ['a comma too many in a list', '[1,]'],
    ['a comma alone', '{,}'],
    ['a comma too many in an inner list', '{"a":[1,]}'],
    ['a comma too many in an inner object', '{"a":{"b":1,}}'],
    ['a comma too few', '{"a":[1 2]}'],
    ['a comma too few in a batch', '[1 2]'],
    ['a comma too few in meta', '{"meta":{"a":1 "b":2}}'],
    ['no colon', '{"id" 1}'],
    ['a name without quotes', '{id:1}'],
    ['single quotes', "{'id':1}"],
    ['a number with a leading zero', '{"id":01}'],
    ['a number without a fraction', '{"id":1.}'],
    ['a number without an exponent', '{"id":1e}'],
    ['a number with a plus', '{"id":+1}'],
    ['NaN', '{"id":NaN}'],
    ['half a word', '{"id":tru}'],
    ['a word too long', '{"id":nulll}'],
    ['an unknown escape', '{"a":"\\x41"}'],
    ['half an escape', '{"a":"\\u12"}'],
    ['a line break in a string', '{"a":"\n"}'],
    ['a comment', '{}//'],
    ['the wrong bracket', '{"a":[1}]'],
    ['the wrong bracket, deep', '{"a":[[[{"b":1]]]]}'],
    ['a NUL', '{"a":1}\0'],
    ['a byte order mark', '\ufeff{}'],
    ['another kind of space', '{\u00a0}'],
  ])('is refused: %s', (_, text) => {
    expect(read(text)).toMatchObject({ refused: 'invalid_json' })
  })

  it.each([
    ['a lone continuation byte', [0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong sequence of three', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that never occurs', [0xff]],
  ])('is refused: UTF-8 with %s', (_, bytes) => {
    expect(read(Buffer.from([0x22, ...bytes, 0x22]))).toMatchObject({ refused: 'invalid_json' })
  })

  it('is told where it stops being JSON', () => {
    expect(read('{"id":01}')).toMatchObject({ detail: expect.stringContaining('at byte 7') })
    expect(read('{"id":1')).toMatchObject({ detail: expect.stringContaining('ends too early') })
    expect(read('\ufeff{}')).toMatchObject({ detail: expect.stringContaining('byte order mark') })
  })
})

describe('a body of great depth', () => {
  const depth = 10_000

  it.each([
    ['arrays', '['.repeat(depth), ']'.repeat(depth)],
    ['objects', '{"a":'.repeat(depth) + '1', '}'.repeat(depth)],
    ['arrays and objects in turn', '[{"a":'.repeat(depth) + '1', '}]'.repeat(depth)],
  ])('passes: %s', (_, open, close) => {
    const text = `{"params":${open}${close},"meta":{"space_id":"north"}}`
    expect(forwarded(text)).toBe(`{"params":${open}${close}}`)
    expect(read(`{"params":${open}`)).toMatchObject({ refused: 'invalid_json' })
  })

  it('costs time in proportion to its length', () => {
    expect(read('['.repeat(4 * 1024 * 1024))).toMatchObject({ refused: 'invalid_json' })
  })
})

/** JSON text as anybody might write it, beyond what a serialiser writes: any escape, any number, any white space, any name twice. */
const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 2 })
const characters = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => JSON.stringify(text).slice(1, -1)),
  },
  fc.constantFrom(
    '\\ud800',
    '\\udc00\\ud83d',
    '\\u0000',
    '\\/',
    '\\"',
    '\\\\',
    'meta',
    '{\\"meta\\":{}}',
    ',',
    '}',
    ']',
  ),
  fc.tuple(fc.constantFrom('meta', 'id', 'method', 'space_id'), fc.nat(7)).map(([name, at]) => {
    const place = at % name.length
    return `${name.slice(0, place)}\\u00${name.charCodeAt(place).toString(16)}${name.slice(place + 1)}`
  }),
)
const string = fc.array(characters, { maxLength: 3 }).map((parts) => `"${parts.join('')}"`)
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '1E400', '-1e-7', '123456789012345678901234567890', '0.1e+1'),
  fc.bigInt().map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => JSON.stringify(value)),
)
const { value } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false'),
    string,
    number,
    tie('array'),
    tie('object'),
  ),
  array: fc
    .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
    .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
  object: fc
    .array(fc.tuple(space, fc.oneof(string, fc.constant('"meta"')), space, tie('value'), space), { maxLength: 4 })
    .map((members) => `{${members.map(([a, name, b, content, c]) => `${a}${name}${b}:${content}${c}`).join(',')}}`),
}))

const metaName = fc.constantFrom('"meta"', '"\\u006deta"', '"me\\u0074a"', '"\\u006d\\u0065\\u0074\\u0061"')
const otherName = string.filter((text) => JSON.parse(text) !== 'meta')
interface Member {
  before: string
  name: string
  between: string
  content: string
  after: string
}
const member = (name: fc.Arbitrary<string>): fc.Arbitrary<Member> =>
  fc.record({ before: space, name, between: space, content: value, after: space })

const written = ({ before, name, between, content, after }: Member): string =>
  `${before}${name}${between}:${content}${after}`

/** Messages of a batch must agree, so all that name a space name the same one, and none names a person. */
const namesNobodyElse = (envelope: ReturnType<typeof readEnvelope>): boolean =>
  envelope.refused === undefined && (envelope.spaceId ?? 'north') === 'north' && envelope.userId === undefined

/** A message with `meta` at some place, and the same text without it. */
const message = fc
  .record({
    members: fc.array(member(otherName), { maxLength: 5 }),
    meta: fc.option(
      fc
        .record({
          before: space,
          name: metaName,
          between: space,
          content: fc.oneof(value, fc.constant('{"space_id":"north"}')),
          after: space,
        })
        .filter(({ content }) => namesNobodyElse(readEnvelope(Buffer.from(`{"meta":${content}}`)))),
    ),
    place: fc.nat(5),
  })
  .map(({ members, meta, place }) => {
    if (!meta) {
      const text = `{${members.map(written).join(',')}}`
      return { text, expected: text }
    }
    const at = Math.min(place, members.length)
    const before = members.slice(0, at).map(written)
    const after = members.slice(at).map(written)
    const text = `{${[...before, written(meta), ...after].join(',')}}`
    // With one behind it, the comma behind it goes; else the comma before it, and the space between.
    const expected =
      after.length > 0
        ? `{${[...before, meta.before + after.join(',')].join(',')}}`
        : before.length > 0
          ? `{${before.join(',')}${meta.after}}`
          : `{${meta.before}${meta.after}}`
    return { text, expected }
  })

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('any JSON text at all', () => {
  it('leaves as it came, without the top-level meta', () => {
    fc.assert(
      fc.property(message, ({ text, expected }) => {
        expect(forwarded(text)).toBe(expected)
        expect(parses(expected)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('leaves a batch as it came, without the meta of each message', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(space, message, space), { maxLength: 4 }), (messages) => {
        const join = (which: 'text' | 'expected'): string =>
          `[${messages.map(([before, content, after]) => before + content[which] + after).join(',')}]`
        expect(forwarded(join('text'))).toBe(join('expected'))
      }),
      { numRuns: 500 },
    )
  })

  it('is JSON to us exactly when it is to JSON.parse, cut at any byte', () => {
    fc.assert(
      fc.property(message, ({ text }) => {
        const bytes = Buffer.from(text)
        for (let end = 0; end < bytes.length; end++) {
          const cut = bytes.subarray(0, end)
          expect({ end, isJson: read(cut).refused === undefined }).toEqual({
            end,
            isJson: parses(cut.toString('utf8')),
          })
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is JSON to us exactly when it is to JSON.parse, with any one byte changed', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), ({ text }, place, byte) => {
        const bytes = Buffer.from(text)
        bytes[place % bytes.length] = byte
        let isJson = false
        try {
          JSON.parse(strict.decode(bytes))
          isJson = true
        } catch {
          // Neither UTF-8 nor JSON.
        }
        // One that is refused for what it says may not have been read to its end.
        const { refused } = readEnvelope(bytes)
        fc.pre(refused === undefined || refused === 'invalid_json')
        expect(refused === undefined).toBe(isJson)
      }),
      { numRuns: 3000 },
    )
  })

  it('is answered with values and never an exception, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const envelope = readEnvelope(Buffer.from(bytes))
        expect(envelope.refused === undefined || envelope.detail !== '').toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})
