import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the model is asked, in OpenAI's protocol (chat completions). */
export interface ModelRequest {
  readonly model: string
  readonly stream?: boolean
  readonly messages: readonly {
    readonly role: string
    readonly content?: unknown
    readonly tool_calls?: readonly { readonly id: string; readonly function: { name: string; arguments: string } }[]
    readonly tool_call_id?: string
  }[]
  readonly tools?: readonly { readonly function: { readonly name: string; readonly parameters: unknown } }[]
  readonly authorization: string | undefined
}

/** One answer of the model, in pieces: words, a call of a tool, an error, or a wait until the test lets it go on. */
export type ModelResponse =
  | { readonly say: string }
  | { readonly call: string; readonly input: unknown }
  | { readonly status: number; readonly headers?: Record<string, string> }
  | { readonly wait: Promise<void> }
  | { readonly breakOff: true }

/** A local server that speaks OpenAI's protocol, streaming included, and answers what the test says. */
export interface ModelServer {
  readonly url: string
  readonly requests: ModelRequest[]
  /** The next answers, in order. Questions for a title are answered on the side and use up none. */
  answer(...answers: (readonly ModelResponse[])[]): void
  /** Drops the answers that nobody asked for. */
  forget(): void
  /** How many titles were asked for. */
  titles(): number
  /** Requests that ended because the one who asked went away. */
  aborted(): number
  stop(): Promise<void>
}

export async function startModelServer(): Promise<ModelServer> {
  const requests: ModelRequest[] = []
  const answers: (readonly ModelResponse[])[] = []
  let aborted = 0
  let titles = 0
  const server = createServer((request, response) => {
    response.on('close', () => {
      if (!response.writableEnded) aborted += 1
    })
    void serve(request, response, requests, answers, () => (titles += 1))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    answer: (...next) => answers.push(...next),
    forget: () => void answers.splice(0),
    titles: () => titles,
    aborted: () => aborted,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  requests: ModelRequest[],
  answers: (readonly ModelResponse[])[],
  onTitle: () => void,
): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString()
  const { authorization } = request.headers
  const asked = { ...(JSON.parse(text) as Omit<ModelRequest, 'authorization'>), authorization }
  if (request.url !== '/v1/chat/completions') {
    response.writeHead(404).end('{}')
    return
  }
  if (!asked.stream) {
    onTitle()
    return whole(response, asked)
  }
  requests.push(asked)
  await stream(response, asked, answers.shift() ?? [{ say: 'I have nothing to say.' }])
}

/** Only titles are asked for in one piece. */
function whole(response: ServerResponse, { model }: ModelRequest): void {
  const message = { role: 'assistant', content: '"A title from the model."' }
  response.writeHead(200, { 'content-type': 'application/json' }).end(
    JSON.stringify({
      id: 'title',
      object: 'chat.completion',
      created: 0,
      model,
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 },
    }),
  )
}

async function stream(
  response: ServerResponse,
  { model }: ModelRequest,
  answer: readonly ModelResponse[],
): Promise<void> {
  const send = (choice: Record<string, unknown>, rest: Record<string, unknown> = {}) =>
    response.write(
      `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', created: 0, model, choices: [{ index: 0, ...choice }], ...rest })}\n\n`,
    )
  let calls = 0
  for (const piece of answer) {
    if ('status' in piece) {
      response
        .writeHead(piece.status, { 'content-type': 'application/json', ...piece.headers })
        .end('{"error":{"message":"secret words of the provider","type":"error"}}')
      return
    }
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
    if ('wait' in piece) {
      await piece.wait
    } else if ('breakOff' in piece) {
      response.destroy()
      return
    } else if ('say' in piece) {
      for (const word of piece.say.match(/\S+\s*|\s+/g) ?? []) send({ delta: { content: word } })
    } else {
      const index = calls++
      const args = JSON.stringify(piece.input)
      const half = Math.floor(args.length / 2)
      const id = `call_${crypto.randomUUID()}`
      send({
        delta: {
          tool_calls: [{ index, id, type: 'function', function: { name: piece.call, arguments: args.slice(0, half) } }],
        },
      })
      send({ delta: { tool_calls: [{ index, function: { arguments: args.slice(half) } }] } })
    }
  }
  send({ delta: {}, finish_reason: calls > 0 ? 'tool_calls' : 'stop' })
  response.write(
    `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', created: 0, model, choices: [], usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } })}\n\n`,
  )
  response.end('data: [DONE]\n\n')
}
