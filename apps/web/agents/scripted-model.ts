import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A model, as the agents of three makers reach theirs. Asked anything, it searches Notion for the launch plan and then says that it is done. */
export interface ScriptedModel {
  readonly url: string
  /** The tools of Notion's that it was offered last. */
  offered(): string[]
  /** What its last search brought, as the agent hands it on. */
  found(): string | undefined
  /** Forgets both. */
  reset(): void
  close(): void
}

const QUERY = { query: 'launch plan' }

/** One maker's way to offer tools, to report results, and to be answered. */
interface Wire {
  readonly path: RegExp
  read(request: Json): { readonly tools: readonly Tool[]; readonly results: readonly unknown[] }
  call(res: ServerResponse, tool: Tool, request: Json): void
  say(res: ServerResponse, request: Json): void
}
interface Tool {
  readonly name: string
  /** Of makers that group tools by server. */
  readonly group?: string
}
type Json = Readonly<Record<string, unknown>>
const list = (value: unknown): Json[] => (Array.isArray(value) ? value : []) as Json[]
const named = (tool: Json): Tool => ({ name: String(tool['name']) })

export async function startScriptedModel(): Promise<ScriptedModel> {
  let offered: string[] = []
  let found: string | undefined
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      const wire = wires.find(({ path }) => path.test(req.url ?? ''))
      if (!wire) {
        res.writeHead(404).end()
        return
      }
      const request = JSON.parse(body) as Json
      const { tools, results } = wire.read(request)
      const ofNotion = tools.filter(({ name, group }) => /notion/.test(`${group} ${name}`))
      // Agents also ask models for small things, without tools.
      if (ofNotion.length > 0) offered = ofNotion.map(({ name }) => name)
      const last = results.at(-1)
      if (last !== undefined) found = JSON.stringify(last)
      const search = ofNotion.find(({ name }) => /notion[-_]search$/.test(name))
      if (search && last === undefined) wire.call(res, search, request)
      else wire.say(res, request)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    offered: () => offered,
    found: () => found,
    reset() {
      offered = []
      found = undefined
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function send(res: ServerResponse, events: readonly (object & { type?: string })[]): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of events) {
    res.write(`${event.type === undefined ? '' : `event: ${event.type}\n`}data: ${JSON.stringify(event)}\n\n`)
  }
  res.end()
}

/** Anthropic's Messages. */
const messages: Wire = {
  path: /^\/v1\/messages(\?|$)/,
  read: (request) => ({
    tools: list(request['tools']).map(named),
    results: list(request['messages'])
      .flatMap(({ content }) => list(content))
      .filter(({ type }) => type === 'tool_result'),
  }),
  call: (res, { name }, request) =>
    message(res, request, { type: 'tool_use', id: 'call_1', name, input: {} }, 'tool_use', {
      type: 'input_json_delta',
      partial_json: JSON.stringify(QUERY),
    }),
  say: (res, request) =>
    message(res, request, { type: 'text', text: '' }, 'end_turn', { type: 'text_delta', text: 'done' }),
}

function message(
  res: ServerResponse,
  { model }: Json,
  content_block: object,
  stop_reason: string,
  delta: object,
): void {
  const usage = { input_tokens: 1, output_tokens: 1 }
  const empty = { id: 'm', type: 'message', role: 'assistant', model, content: [], stop_reason: null, usage }
  send(res, [
    { type: 'message_start', message: empty } as object,
    { type: 'content_block_start', index: 0, content_block } as object,
    { type: 'content_block_delta', index: 0, delta } as object,
    { type: 'content_block_stop', index: 0 } as object,
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage } as object,
    { type: 'message_stop' },
  ])
}

/** OpenAI's Responses. */
const responses: Wire = {
  path: /^\/v1\/responses$/,
  read: (request) => ({
    tools: list(request['tools']).flatMap((one) =>
      one['tools'] === undefined
        ? [named(one)]
        : list(one['tools']).map((tool) => ({ ...named(tool), group: String(one['name']) })),
    ),
    results: list(request['input']).filter(({ type }) => type === 'function_call_output'),
  }),
  call: (res, { name, group }) =>
    response(res, {
      type: 'function_call',
      id: 'fc_1',
      call_id: 'call_1',
      name,
      ...(group && { namespace: group }),
      arguments: JSON.stringify(QUERY),
    }),
  say: (res) =>
    response(res, { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] }),
}

function response(res: ServerResponse, item: object): void {
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 }
  send(res, [
    { type: 'response.created', response: { id: 'r' } } as object,
    { type: 'response.output_item.done', output_index: 0, item } as object,
    { type: 'response.completed', response: { id: 'r', usage } } as object,
  ])
}

/** Google's generateContent. */
const generateContent: Wire = {
  path: /:streamGenerateContent/,
  read: (request) => ({
    tools: list(request['tools'])
      .flatMap(({ functionDeclarations }) => list(functionDeclarations))
      .map(named),
    results: list(request['contents'])
      .flatMap(({ parts }) => list(parts))
      .filter(({ functionResponse }) => functionResponse !== undefined),
  }),
  call: (res, { name }) => generated(res, { functionCall: { name, args: QUERY } }),
  say: (res) => generated(res, { text: 'done' }),
}

function generated(res: ServerResponse, part: object): void {
  const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 }
  const candidate = { content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }
  send(res, [{ candidates: [candidate], usageMetadata } as object])
}

const wires = [messages, responses, generateContent]
