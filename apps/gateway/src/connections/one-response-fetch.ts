import { BodyTooLarge } from '@nmg/outbound'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { fetch, type Dispatcher, type Response as UndiciResponse } from 'undici'

/** Limit of one response after decompression. */
const MAX_RESPONSE_BYTES = 1024 * 1024

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>
type Message = { id?: unknown; result?: unknown; error?: unknown }

/**
 * A `fetch` for a short-lived MCP client that only sends requests. The SDK waits for its time-out when a response to a request has no
 * JSON-RPC response (202, an event stream that ends early, another id), and reads bodies of any length. This one resolves with
 * the JSON-RPC response only, and rejects as soon as there cannot be one or more than a megabyte was received before it.
 *
 * @param signal aborts every request.
 */
export function oneResponseFetch(dispatcher: Dispatcher, signal: AbortSignal): Fetch {
  return async (url, init = {}) => {
    // The stream for messages of the server, which this client does not use.
    if (init.method === 'GET') return new Response(null, { status: 405 })
    const response = await fetch(url, {
      method: init.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      body: init.body as string,
      redirect: 'error',
      dispatcher,
      signal: init.signal ? AbortSignal.any([init.signal, signal]) : signal,
    })
    const { status } = response
    const id = requestIdOf(init.body)
    if (!response.ok || id === undefined) {
      await response.body?.cancel()
      return new Response(null, { status })
    }
    const message = await responseMessage(response, id)
    const session = response.headers.get('mcp-session-id')
    return Response.json(message, { headers: session === null ? {} : { 'mcp-session-id': session } })
  }
}

/** Undefined for notifications and for requests without a body. */
const requestIdOf = (body: unknown): unknown =>
  typeof body === 'string' ? (JSON.parse(body) as Message).id : undefined

async function responseMessage({ body, headers }: UndiciResponse, id: unknown): Promise<Message> {
  const text = body?.pipeThrough(limited()).pipeThrough(new TextDecoderStream())
  if (!text) throw new Error('the response has no body')
  for await (const json of isEventStream(headers.get('content-type')) ? eventsOf(text) : [await joined(text)]) {
    const found = [JSON.parse(json) as unknown].flat().find((message) => isResponse(message, id))
    if (found) return found as Message
  }
  throw new Error('the response holds no response message')
}

const isEventStream = (type: string | null) => /^text\/event-stream\s*(?:;|$)/i.test(type ?? '')

const isResponse = (message: unknown, id: unknown): message is Message =>
  typeof message === 'object' &&
  message !== null &&
  'id' in message &&
  message.id === id &&
  ('result' in message || 'error' in message)

async function* eventsOf(text: ReadableStream<string>): AsyncGenerator<string> {
  for await (const { event, data } of text.pipeThrough(new EventSourceParserStream())) {
    if (data !== '' && (event === undefined || event === 'message')) yield data
  }
}

async function joined(text: ReadableStream<string>): Promise<string> {
  const parts: string[] = []
  for await (const part of text) parts.push(part)
  return parts.join('')
}

function limited(): TransformStream<Uint8Array, Uint8Array> {
  let size = 0
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length
      if (size > MAX_RESPONSE_BYTES) throw new BodyTooLarge(`the response is longer than ${MAX_RESPONSE_BYTES} bytes`)
      controller.enqueue(chunk)
    },
  })
}
