import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  completable,
  createMcpHandler,
  createRequestStateCodec,
  type EventStore,
  fromJsonSchema,
  hostHeaderValidationResponse,
  inputRequired,
  inputResponse,
  isLegacyRequest,
  type JSONRPCMessage,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  type McpHttpHandler,
  McpServer,
  originValidationResponse,
  ResourceTemplate,
  type ServerNotifier,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

/** A pixel and a moment of silence. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA='

const text = (content: string) => ({ content: [{ type: 'text' as const, text: content }] })
const prompt = (...content: (Record<string, unknown> & { type: string })[]) =>
  ({ messages: content.map((part) => ({ role: 'user' as const, content: part })) }) as never
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const nothing = z.object({})

export interface ConformanceServer {
  readonly url: URL
  /** Each request that came, with its answer's status, as `POST tools/call 200`. */
  readonly seen: string[]
  /** How many calls of the tool `wait` were given up by their callers. */
  readonly givenUp: () => number
  close(): Promise<void>
}

/**
 * An MCP server with everything that the official conformance suite asks a server for, in both eras: sessions, GET and DELETE for the
 * revisions of 2025, one exchange for each request for 2026-07-28.
 */
export async function conformanceServer(): Promise<ConformanceServer> {
  const states = createRequestStateCodec<{ round: number }>({ key: randomBytes(32) })
  const modern: McpHttpHandler = createMcpHandler(() => server({ states, onGivenUp, notify: () => modern.notify }), {
    legacy: 'reject',
    keepAliveMs: 0,
  })
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  const seen: string[] = []
  let givenUp = 0
  const onGivenUp = () => void givenUp++

  async function legacy(request: Request): Promise<Response> {
    const known = sessions.get(request.headers.get('mcp-session-id') ?? '')
    if (known) {
      // The SDK leaves the stream of a client that has gone open, and refuses the next one.
      if (request.method === 'GET') request.signal.addEventListener('abort', () => known.closeStandaloneSSEStream())
      return known.handleRequest(request)
    }
    if (request.headers.has('mcp-session-id')) {
      return Response.json({ jsonrpc: '2.0', error: { code: -32_001, message: 'Session not found' } }, { status: 404 })
    }
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: eventStore(),
      retryInterval: 200,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await server({ states, onGivenUp }).connect(transport)
    return transport.handleRequest(request)
  }

  const handle = toNodeHandler({
    async fetch(request) {
      const refusal =
        hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
        originValidationResponse(request, localhostAllowedOrigins())
      const body = await request.clone().text()
      const response = refusal ?? (await ((await isLegacyRequest(request)) ? legacy(request) : modern.fetch(request)))
      seen.push(`${request.method} ${/"method": *"([^"]+)"/.exec(body)?.[1] ?? '-'} ${response.status}`)
      return response
    },
  })
  const http = createServer((req, res) => void handle(req as never, res))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')

  return {
    url: new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`),
    seen,
    givenUp: () => givenUp,
    async close() {
      await modern.close()
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
}

/** Events of a session, so that a stream can be taken up again where it broke off. */
function eventStore(): EventStore {
  const events: { id: string; streamId: string; message: JSONRPCMessage }[] = []
  return {
    async storeEvent(streamId, message) {
      const id = `${streamId}_${events.length}`
      events.push({ id, streamId, message })
      return id
    },
    async getStreamIdForEventId(id) {
      return events.find((event) => event.id === id)?.streamId
    },
    async replayEventsAfter(lastEventId, { send }) {
      const last = events.findIndex(({ id }) => id === lastEventId)
      const streamId = events[last]?.streamId ?? ''
      for (const event of events.slice(last + 1)) {
        // A priming event has an id and no message.
        if (event.streamId === streamId && 'jsonrpc' in event.message) await send(event.id, event.message)
      }
      return streamId
    },
  }
}

type States = ReturnType<typeof createRequestStateCodec<{ round: number }>>

interface Surroundings {
  readonly states: States
  readonly onGivenUp: () => void
  /** How subscribers are told of changes, since 2026-07-28; before, the session tells them. */
  readonly notify?: () => ServerNotifier
}

function server({ states, onGivenUp, notify }: Surroundings): McpServer {
  const mcp = new McpServer(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } },
      requestState: { verify: (state, context) => states.verify(state, context) },
    },
  )
  contentTools(mcp)
  mcp.registerTool('wait', { description: 'Answers when it is given up' }, async ({ mcpReq }) => {
    mcpReq.signal.addEventListener('abort', onGivenUp)
    await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data: 'waiting' } })
    await new Promise((resolve) => mcpReq.signal.addEventListener('abort', resolve))
    return text('Given up.')
  })
  conversationTools(mcp)
  changeTools(mcp, notify)
  inputTools(mcp, states)
  schemaTools(mcp)
  resources(mcp)
  prompts(mcp)
  return mcp
}

function contentTools(mcp: McpServer): void {
  const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' }
  const tool = (name: string, description: string, content: () => never[]) =>
    mcp.registerTool(name, { description }, () => ({ content: content() }))

  tool('test_simple_text', 'Says something', () => text('This is a simple text response for testing.').content as never)
  tool('test_image_content', 'Shows a pixel', () => [image] as never)
  tool('test_audio_content', 'Plays a moment', () => [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] as never)
  tool('test_embedded_resource', 'Embeds a resource', () => {
    const resource = {
      uri: 'test://embedded-resource',
      mimeType: 'text/plain',
      text: 'This is an embedded resource content.',
    }
    return [{ type: 'resource', resource }] as never
  })
  tool('test_multiple_content_types', 'Answers in several ways', () => {
    const json = JSON.stringify({ test: 'data', value: 123 })
    const resource = { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: json }
    return [...text('Multiple content types test:').content, image, { type: 'resource', resource }] as never
  })
  mcp.registerTool('test_error_handling', { description: 'Fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
}

function conversationTools(mcp: McpServer): void {
  mcp.registerTool('test_tool_with_logging', { description: 'Logs while it works' }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'Tool execution started')
    await pause(50)
    await mcpReq.log('info', 'Tool processing data')
    await pause(50)
    await mcpReq.log('info', 'Tool execution completed')
    return text('Logged three times.')
  })
  mcp.registerTool('test_logging_tool', { description: 'Logs once' }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'logged')
    return text('Logged.')
  })
  mcp.registerTool('test_tool_with_progress', { description: 'Reports progress' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
      }
      if (progress < 100) await pause(50)
    }
    return text('Done.')
  })
  mcp.registerTool('test_reconnection', { description: 'Closes its stream before the result' }, async ({ http }) => {
    http?.closeSSE?.()
    await pause(100)
    return text('Reconnected.')
  })
  const withPrompt = { description: 'Asks a model', inputSchema: z.object({ prompt: z.string() }) }
  mcp.registerTool('test_sampling', withPrompt, async ({ prompt: question }, { mcpReq }) => {
    const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: question } }]
    const { content } = await mcpReq.requestSampling({ messages, maxTokens: 100 })
    return text(`LLM response: ${JSON.stringify(content)}`)
  })

  const ask = async (
    mcpReq: { elicitInput: (params: never) => Promise<unknown> },
    message: string,
    requestedSchema: unknown,
  ) => {
    const { action, content } = (await mcpReq.elicitInput({ message, requestedSchema } as never)) as {
      action: string
      content: unknown
    }
    return { action, content: JSON.stringify(content) }
  }
  const withMessage = { description: 'Asks a person', inputSchema: z.object({ message: z.string() }) }
  mcp.registerTool('test_elicitation', withMessage, async ({ message }, { mcpReq }) => {
    const { action, content } = await ask(mcpReq, message, {
      type: 'object',
      properties: {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      },
      required: ['username', 'email'],
    })
    return text(`User response: action=${action}, content=${content}`)
  })
  mcp.registerTool('test_elicitation_sep1034_defaults', { description: 'Asks with defaults' }, async ({ mcpReq }) => {
    const { action, content } = await ask(mcpReq, 'Is this right?', {
      type: 'object',
      properties: {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      },
    })
    return text(`Elicitation completed: action=${action}, content=${content}`)
  })
  mcp.registerTool('test_elicitation_sep1330_enums', { description: 'Asks with choices' }, async ({ mcpReq }) => {
    const options = ['option1', 'option2', 'option3']
    const titled = (...titles: string[]) => titles.map((title, i) => ({ const: `value${i + 1}`, title }))
    const { action, content } = await ask(mcpReq, 'Choose', {
      type: 'object',
      properties: {
        untitledSingle: { type: 'string', enum: options },
        titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
        legacyEnum: {
          type: 'string',
          enum: ['opt1', 'opt2', 'opt3'],
          enumNames: ['Option One', 'Option Two', 'Option Three'],
        },
        untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
        titledMulti: { type: 'array', items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') } },
      },
    })
    return text(`Elicitation completed: action=${action}, content=${content}`)
  })
}

/** Tools that change what is listed, as subscribers are told. */
function changeTools(mcp: McpServer, notify: Surroundings['notify']): void {
  mcp.registerTool('test_trigger_tool_change', { description: 'ConnectionChanges the tools' }, async () => {
    if (notify) notify().toolsChanged()
    else await mcp.server.sendToolListChanged()
    return text('Changed.')
  })
  mcp.registerTool('test_trigger_prompt_change', { description: 'ConnectionChanges the prompts' }, async () => {
    if (notify) notify().promptsChanged()
    else await mcp.server.sendPromptListChanged()
    return text('Changed.')
  })
}

const nameSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } }, required: ['name'] }
const question = (message: string, requestedSchema: unknown = nameSchema) =>
  inputRequired.elicit({ message, requestedSchema } as never)
const sample = (content: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: content } }], maxTokens })

/** Tools of 2026-07-28 that need something from the client first. */
function inputTools(mcp: McpServer, states: States): void {
  mcp.registerTool('test_input_required_result_elicitation', { description: 'Asks for a name' }, ({ mcpReq }) => {
    const content = acceptedContent(mcpReq.inputResponses, 'user_name', z.object({ name: z.string() }))
    return content
      ? text(`Hello, ${content.name}!`)
      : inputRequired({ inputRequests: { user_name: question('What is your name?') } })
  })
  mcp.registerTool('test_input_required_result_sampling', { description: 'Asks a model' }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'capital_question')
    return answer.kind === 'sampling'
      ? text(JSON.stringify(answer.result.content))
      : inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } })
  })
  mcp.registerTool('test_input_required_result_list_roots', { description: 'Asks for roots' }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'client_roots')
    return answer.kind === 'roots'
      ? text(JSON.stringify(answer.roots))
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })
  const okSchema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }
  for (const name of ['request_state', 'tampered_state']) {
    mcp.registerTool(`test_input_required_result_${name}`, { description: 'Keeps a state' }, async ({ mcpReq }) => {
      if (mcpReq.requestState<{ round: number }>()?.round === 1) return text('state-ok')
      const requestState = await states.mint({ round: 1 })
      return inputRequired({ inputRequests: { confirm: question('Please confirm', okSchema) }, requestState })
    })
  }
  mcp.registerTool(
    'test_input_required_result_multiple_inputs',
    { description: 'Asks three at once' },
    async ({ mcpReq }) => {
      const kinds = ['user_name', 'greeting', 'client_roots'].map(
        (key) => inputResponse(mcpReq.inputResponses, key).kind,
      )
      if (!kinds.includes('missing')) return text('All three came.')
      return inputRequired({
        inputRequests: {
          user_name: question('What is your name?'),
          greeting: sample('Generate a greeting', 50),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await states.mint({ round: 1 }),
      })
    },
  )
  mcp.registerTool('test_input_required_result_multi_round', { description: 'Asks twice' }, async ({ mcpReq }) => {
    const round = mcpReq.requestState<{ round: number }>()?.round ?? 0
    if (round === 2) return text('Both came.')
    const requestState = await states.mint({ round: round + 1 })
    if (round === 1) {
      const color = { type: 'object', properties: { color: { type: 'string' } }, required: ['color'] }
      return inputRequired({
        inputRequests: { step2: question('Step 2: What is your favorite color?', color) },
        requestState,
      })
    }
    return inputRequired({ inputRequests: { step1: question('Step 1: What is your name?') }, requestState })
  })
  mcp.registerTool('test_input_required_result_capabilities', { description: 'Asks what it may' }, ({ mcpReq }) => {
    const declared = Object(Object(mcpReq.envelope)[CLIENT_CAPABILITIES_META_KEY])
    const inputRequests = {
      ...('sampling' in declared ? { model: sample('Say something') } : {}),
      ...('elicitation' in declared ? { person: question('What is your name?') } : {}),
    }
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : text('Nothing to ask.')
  })
  mcp.registerTool('test_missing_capability', { description: 'Needs sampling' }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'model')
    return answer.kind === 'sampling'
      ? text('Sampled.')
      : inputRequired({ inputRequests: { model: sample('Say something') } })
  })
  mcp.registerTool('test_streaming_elicitation', { description: 'Reports, then asks' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    if (progressToken !== undefined) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 2 } })
    }
    return inputRequired({ inputRequests: { person: question('What is your name?') } })
  })
}

function schemaTools(mcp: McpServer): void {
  const rich = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  }
  mcp.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(rich as never) },
    (args) => text(JSON.stringify(args)),
  )
  const mirrored = {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, query: { type: 'string' } },
    required: ['region'],
  }
  mcp.registerTool(
    'test_x_mcp_header',
    { description: 'Mirrors an argument', inputSchema: fromJsonSchema(mirrored as never) },
    (args) => text(JSON.stringify(args)),
  )
}

function resources(mcp: McpServer): void {
  const static_ = { description: 'Never changes', mimeType: 'text/plain' }
  mcp.registerResource('Text', 'test://static-text', static_, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  }))
  mcp.registerResource(
    'Binary',
    'test://static-binary',
    { description: 'A pixel', mimeType: 'image/png' },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'image/png', blob: PNG }],
    }),
  )
  mcp.registerResource(
    'Watched',
    'test://watched-resource',
    { description: 'May change', mimeType: 'text/plain' },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'text/plain', text: 'Watched.' }],
    }),
  )
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  mcp.registerResource(
    'Template',
    template,
    { description: 'By id', mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  )
  mcp.server.setRequestHandler('resources/subscribe', () => ({}))
  mcp.server.setRequestHandler('resources/unsubscribe', () => ({}))
}

function prompts(mcp: McpServer): void {
  mcp.registerPrompt('test_simple_prompt', { description: 'A prompt' }, () =>
    prompt({ type: 'text', text: 'This is a simple prompt for testing.' }),
  )
  const suggestions = (value: string) => ['paris', 'park', 'party'].filter((word) => word.startsWith(value))
  const withArguments = {
    description: 'A prompt with arguments',
    argsSchema: z.object({ arg1: completable(z.string(), suggestions), arg2: z.string() }),
  }
  mcp.registerPrompt('test_prompt_with_arguments', withArguments, ({ arg1, arg2 }) =>
    prompt({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  )
  const withUri = { description: 'A prompt with a resource', argsSchema: z.object({ resourceUri: z.string() }) }
  mcp.registerPrompt('test_prompt_with_embedded_resource', withUri, ({ resourceUri: uri }) =>
    prompt(
      { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } },
      { type: 'text', text: 'Please process the embedded resource above.' },
    ),
  )
  mcp.registerPrompt('test_prompt_with_image', { description: 'A prompt with an image' }, () =>
    prompt(
      { type: 'image', data: PNG, mimeType: 'image/png' },
      { type: 'text', text: 'Please analyze the image above.' },
    ),
  )
  mcp.registerPrompt('test_input_required_result_prompt', { description: 'A prompt that asks', argsSchema: nothing }, ((
    _: unknown,
    context: {
      mcpReq: { inputResponses?: Record<string, unknown> }
    },
  ) => {
    const content = acceptedContent<{ context: string }>(context.mcpReq.inputResponses, 'user_context')
    if (content) return prompt({ type: 'text', text: `Use this: ${content.context}` })
    const schema = { type: 'object', properties: { context: { type: 'string' } }, required: ['context'] }
    return inputRequired({ inputRequests: { user_context: question('What context should the prompt use?', schema) } })
  }) as never)
}
