import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ProxyUnderTest, proxyUnderTest } from './proxy-under-test.ts'
import { head, post, type RawCaller, rawCaller } from './raw-caller.ts'
import { chunk, json, type RawUpstream, rawUpstream, streamHead } from './raw-upstream.ts'

let upstream: RawUpstream
let proxy: ProxyUnderTest
let caller: RawCaller

beforeAll(async () => {
  upstream = await rawUpstream()
  proxy = await proxyUnderTest(upstream.url)
  caller = await rawCaller(proxy.port)
})

afterAll(async () => {
  caller.socket.destroy()
  await proxy.close()
  await upstream.close()
})

/** Sends the pieces so that they arrive apart. */
async function sendApart(write: (bytes: Buffer) => unknown, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const place of [...places, bytes.length]) {
    if (place > from) write(bytes.subarray(from, place))
    from = place
    await new Promise(setImmediate)
  }
}

const cuts = fc.array(fc.nat(), { maxLength: 8 })

describe('any message, cut into any pieces', () => {
  it('reaches upstream as it came, without its meta', async () => {
    upstream.answers(({ socket }) => socket.write(json('{}')))
    const property = fc.asyncProperty(
      fc.json({ maxDepth: 3 }),
      cuts,
      fc.boolean(),
      async (content, places, isChunked) => {
        const body = `{"params":${content} ,"meta":{"space_id":"north"}, "id":1.0}`
        const bytes = isChunked
          ? Buffer.concat([
              Buffer.from(head('POST', 'Transfer-Encoding: chunked')),
              chunk(body.slice(0, 9)),
              chunk(body.slice(9)),
              chunk(),
            ])
          : post(body)
        upstream.requests.length = 0
        await sendApart((piece) => caller.send(piece), bytes, places)
        expect((await caller.answer()).status).toBe(200)
        expect(upstream.requests[0]?.body.toString()).toBe(`{"params":${content} , "id":1.0}`)
      },
    )
    await fc.assert(property, { numRuns: 150 })
  })
})

describe('any answer, cut into any pieces', () => {
  it('reaches the caller as it came, in chunks', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 6 }),
      cuts,
      async (pieces, places) => {
        const bytes = Buffer.concat([
          Buffer.from(streamHead()),
          ...pieces.map((piece) => chunk(Buffer.from(piece))),
          chunk(),
        ])
        upstream.answers(({ socket }) => void sendApart((piece) => socket.write(piece), bytes, places))
        caller.send(post('{}'))
        const { body, isComplete } = await caller.answer()
        expect(isComplete).toBe(true)
        expect(body.equals(Buffer.concat(pieces))).toBe(true)
      },
    )
    await fc.assert(property, { numRuns: 150 })
  })

  it('breaks off where it is cut short, wherever that is', async () => {
    const whole = Buffer.concat([
      Buffer.from(streamHead('Mcp-Name: n')),
      chunk('data: 1\n\n'),
      chunk('data: 2\n\n'),
      chunk(),
    ])
    const headEnd = whole.indexOf('\r\n\r\n') + 4
    for (let end = 1; end < whole.length; end++) {
      upstream.answers(({ socket }) => socket.end(whole.subarray(0, end)))
      const once = await rawCaller(proxy.port)
      once.send(post('{}'))
      const { status, body, isComplete } = await once.answer()
      once.socket.destroy()
      const isBegun = end >= headEnd
      expect({ end, status, isComplete: isBegun && isComplete }).toEqual({
        end,
        status: isBegun ? 200 : 502,
        isComplete: false,
      })
      expect(isBegun ? 'data: 1\n\ndata: 2\n\n' : body.toString()).toContain(body.toString())
    }
  })
})
