import { describe, expect, it } from 'vitest'
import type { ChatChunk, ChatMessage } from './chat-message.ts'
import { readRunStream } from './read-run-stream.ts'

const chunks: ChatChunk[] = [
  { type: 'start', messageId: 'm1' },
  { type: 'start-step' },
  { type: 'text-start', id: 't' },
  { type: 'text-delta', id: 't', delta: 'Grüße 👋' },
  { type: 'text-delta', id: 't', delta: '\n\ndata: [DONE]\n\n' },
  { type: 'text-end', id: 't' },
  { type: 'finish' },
]
const TEXT = 'Grüße 👋\n\ndata: [DONE]\n\n'

const eventsOf = (list: readonly ChatChunk[]) => list.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')

/** The stream in pieces of so many bytes, as a network may cut it. */
function streamOf(text: string, pieceBytes: number): Response {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  return new Response(
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close()
        controller.enqueue(bytes.slice(at, at + pieceBytes))
        at += pieceBytes
      },
    }),
  )
}

async function read(response: Response, begun?: ChatMessage) {
  let message: ChatMessage | undefined
  const isWhole = await readRunStream(
    response,
    () => begun,
    (shown) => {
      message = shown
    },
  )
  return { isWhole, message }
}

const textOf = (message: ChatMessage | undefined) =>
  message?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')

describe('an answer’s stream', () => {
  it.each([1, 2, 3, 7, 100_000])('is read the same in pieces of %i bytes', async (pieceBytes) => {
    const { isWhole, message } = await read(streamOf(`${eventsOf(chunks)}data: [DONE]\n\n`, pieceBytes))
    expect(isWhole).toBe(true)
    expect(message?.id).toBe('m1')
    expect(textOf(message)).toBe(TEXT)
  })

  it('may hold comments, other line ends and fields that are not used', async () => {
    const text = `: still writing\n\nid: 7\nevent: message\n${eventsOf(chunks)}data: [DONE]\n\n`.replaceAll(
      '\n',
      '\r\n',
    )
    const { isWhole, message } = await read(streamOf(text, 5))
    expect(isWhole).toBe(true)
    expect(textOf(message)).toBe(TEXT)
  })

  it('is not whole without its end, and shows what arrived', async () => {
    const { isWhole, message } = await read(streamOf(`${eventsOf(chunks.slice(0, 4))}data: {"type":"text-de`, 9))
    expect(isWhole).toBe(false)
    expect(textOf(message)).toBe('Grüße 👋')
  })

  it('goes on from the message that there was before', async () => {
    const begun: ChatMessage = {
      id: 'm1',
      role: 'assistant',
      parts: [{ type: 'text', text: 'Before. ' }],
      metadata: {},
    }
    const { message } = await read(streamOf(eventsOf(chunks), 50), begun)
    expect(textOf(message)).toBe(`Before. ${TEXT}`)
  })
})
