import { testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answered, ask, messageIn, opened, startRun } from '@/test/support/chat-client.ts'
import { startModelServer, type ModelServer } from '@/test/support/model-server.ts'
import { startOddGateway } from '@/test/support/odd-gateway.ts'
import { consent, invite, newUser, type UserClient } from '@/test/support/user.ts'
import { deploymentSecrets, freePort, startProcess, startProduct, type Product } from '@/test/support/product.ts'
import { forgetLimits } from '@/test/support/limits.ts'
import { isToolPart, textOf, type ChatMessage, type ToolPart } from '@/features/chat/chat-message.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

let product: Product
let databaseUrl: string
let model: ModelServer
let ada: UserClient
let ben: UserClient
let dora: UserClient

beforeAll(async () => {
  model = await startModelServer()
  databaseUrl = (await testDatabase()).url
  product = await startProduct(
    { DATABASE_URL: databaseUrl },
    {
      web: {
        CHAT_MODEL: 'small,large',
        CHAT_BASE_URL: model.url,
        CHAT_API_KEY: 'key-of-the-chat',
        CHAT_MAX_STEPS: '4',
      },
    },
  )
  product.simulator.setOptions({ autoApprove: true })
  const user = (name: string) =>
    newUser(product.webUrl, { name, email: `${name.toLowerCase()}@north.test`, password: 'a-good-password' })
  ada = await user('Ada')
  ben = await user('Ben')
  dora = await user('Dora')
  await invite(ada, ben, 'member')
  await connect(ada)
})

afterAll(async () => {
  await product?.stop()
  await model?.stop()
})

beforeEach(() => forgetLimits(databaseUrl))

afterEach(() => {
  product.simulator.setOptions({ mcpFaults: [] })
  model.forget()
})

async function connect(user: UserClient): Promise<void> {
  const started = await user.post('/api/notion/oauth/start', { spaceId: user.spaceId })
  const { authorizeUrl } = (await started.json()) as { authorizeUrl: string }
  await consent(user, authorizeUrl)
}

async function readUntil(reader: ReadableStreamDefaultReader<string>, text: string): Promise<string> {
  let read = ''
  while (!read.includes(text)) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`the stream ended before "${text}": ${read}`)
    read += value
  }
  return read
}

const toolParts = (message: ChatMessage | undefined): ToolPart[] => message?.parts.filter(isToolPart) ?? []
const newId = () => crypto.randomUUID()
const toolCalls = (name: string) => product.simulator.recorded.mcpRequests.filter(({ tool }) => tool === name)
const pageTitles = () =>
  product.simulator.workspaces.flatMap(({ pages }) => [...pages.values()].map(({ title }) => title))

describe('a run', () => {
  it('calls reading tools immediately and is stored with their results', async () => {
    const id = newId()
    model.answer(
      [{ say: 'I look it up. ' }, { call: 'notion-search', input: { query: 'launch plan' } }],
      [{ say: 'It is the **Launch plan**.' }],
    )
    const asked = model.requests.length
    const message = await answered(ada, ask(id, 'Where is the launch plan?'))

    expect(textOf(message)).toContain('It is the **Launch plan**.')
    expect(toolParts(message)).toMatchObject([
      { toolName: 'notion-search', state: 'output-available', input: { query: 'launch plan' } },
    ])
    expect(message.metadata).toMatchObject({
      model: 'small',
      end: { kind: 'complete' },
      tokens: { input: 200, output: 40 },
    })
    const [first, second] = model.requests.slice(asked)
    expect(first).toMatchObject({ model: 'small', authorization: 'Bearer key-of-the-chat', stream: true })
    expect(first?.tools?.map((tool) => tool.function.name)).toContain('notion-update-page')
    expect(JSON.stringify(second?.messages)).toContain('Launch plan')

    const kept = await opened(ada, id)
    expect(kept.messages.map(({ role }) => role)).toEqual(['user', 'assistant'])
    expect(kept.messages[1]).toEqual(message)
    expect(kept).toMatchObject({ isAnswering: false, conversation: { title: 'A title from the model', isMine: true } })
  })

  it('continues from the earlier messages', async () => {
    const id = newId()
    model.answer([{ say: 'Blue.' }], [{ say: 'Because.' }])
    await answered(ada, ask(id, 'What colour?'))
    await answered(ada, { ...ask(id, 'Why?'), model: 'large' })
    const last = model.requests.at(-1)
    expect(last?.model).toBe('large')
    expect(last?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user'])
    expect((await opened(ada, id)).model).toBe('large')
  })

  it('replaces the old answer when regenerated or when the question is edited', async () => {
    const id = newId()
    model.answer([{ say: 'One.' }], [{ say: 'Two.' }], [{ say: 'Three.' }])
    await answered(ada, ask(id, 'First question'))
    await answered(ada, { type: 'regenerate', conversationId: id })
    const [question, answer] = (await opened(ada, id)).messages
    expect(textOf(answer ?? { parts: [] })).toBe('Two.')
    const message = { id: newId(), text: 'Another question' }
    await answered(ada, { type: 'edit', conversationId: id, messageId: question?.id, message })
    expect((await opened(ada, id)).messages.map(textOf)).toEqual(['Another question', 'Three.'])
  })

  it('ends at the step limit with that finish reason', async () => {
    const search = [{ call: 'notion-search', input: { query: 'roadmap' } }] as const
    model.answer(search, search, search, search)
    const message = await answered(ada, ask(newId(), 'Search for ever'))
    expect(message.metadata?.end).toEqual({ kind: 'step_limit', limit: 4 })
    expect(toolParts(message)).toHaveLength(4)
  })

  it.each([
    [{ status: 401 }, 'model_refused'],
    [{ status: 404 }, 'model_refused'],
    [{ status: 400 }, 'model_refused'],
    [{ breakOff: true }, 'model_unavailable'],
  ] as const)('ends clearly when the model answers %j', async (answer, code) => {
    const titles = model.titles()
    model.answer([answer], [answer], [answer])
    const message = await answered(ada, ask(newId(), 'Hello'))
    expect(message.metadata?.end).toMatchObject({ kind: 'failed', code })
    expect(JSON.stringify(message)).not.toContain('secret words')
    // A question that cannot be answered gets no title of a model, which would only cost.
    expect(model.titles()).toBe(titles)
  })

  it('ends with the retry time when Notion rate-limits calls', async () => {
    product.simulator.setOptions({
      mcpFaults: [{ kind: 'tool-rate-limit', tool: 'notion-search', retryAfterSeconds: 30 }],
    })
    model.answer([{ call: 'notion-search', input: { query: 'launch' } }])
    const message = await answered(ada, ask(newId(), 'Find it'))
    expect(message.metadata?.end).toMatchObject({ kind: 'failed', code: 'notion_rate_limited' })
    const until = message.metadata?.end?.kind === 'failed' ? message.metadata.end.until : undefined
    expect(Date.parse(until ?? '') - Date.now()).toBeGreaterThan(20_000)
  })

  it('names the next step if the space is not connected, without the gateway’s address', async () => {
    const message = await answered(dora, ask(newId(), 'Hello'))
    expect(message.metadata?.end).toMatchObject({ kind: 'failed', code: 'not_connected' })
    expect(JSON.stringify(message.metadata)).not.toMatch(/https?:/)
  })

  it('passes a tool failure to the model and continues', async () => {
    model.answer([{ call: 'notion-fetch', input: { id: newId() } }], [{ say: 'It is not there.' }])
    const message = await answered(ada, ask(newId(), 'Read it'))
    expect(toolParts(message)).toMatchObject([{ state: 'output-available', output: { isError: true } }])
    expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain('object_not_found')
    expect(message.metadata?.end).toEqual({ kind: 'complete' })
  })
})

describe('a message', () => {
  const sentTwice = async (run: Parameters<typeof startRun>[1]) => {
    const second = await startRun(ada, run)
    expect(second.status).toBe(204)
    return (await opened(ada, run.conversationId)).messages
  }

  it('is stored and answered once when the browser retries after a lost response', async () => {
    const id = newId()
    const run = ask(id, 'Did this arrive?')
    const gate = Promise.withResolvers<void>()
    model.answer([{ say: 'It ' }, { wait: gate.promise }, { say: 'did.' }])
    const asked = model.requests.length
    const first = await startRun(ada, run)
    // While it is being answered, the sender gets the same answer.
    const again = await startRun(ada, run)
    gate.resolve()
    expect(messageIn(await again.text())).toEqual(messageIn(await first.text()))
    expect((await sentTwice(run)).map(textOf)).toEqual(['Did this arrive?', 'It did.'])
    expect(model.requests).toHaveLength(asked + 1)
  })

  it('is stored once when it replaces another', async () => {
    const id = newId()
    model.answer([{ say: 'One.' }], [{ say: 'Two.' }])
    await answered(ada, ask(id, 'First'))
    const [question] = (await opened(ada, id)).messages
    const edit = { type: 'edit', conversationId: id, messageId: question?.id, message: { id: newId(), text: 'Second' } }
    await answered(ada, edit)
    expect((await sentTwice(edit)).map(textOf)).toEqual(['Second', 'Two.'])
  })

  it.each([
    ['letters', 'x'],
    ['quotation marks', '"'],
    ['control characters', '\u0001'],
    ['Chinese', '文'],
    ['line breaks between words', 'ab\n'],
    ['emoji', '😀'],
  ])('of 100,000 characters is stored whole: %s', async (_, unit) => {
    const text = `${unit.repeat(Math.floor(99_999 / unit.length))}.`.padStart(100_000, 'x')
    const id = newId()
    model.answer([{ say: 'Long.' }])
    await answered(ada, ask(id, text))
    const [question] = (await opened(ada, id)).messages
    expect(textOf(question ?? { parts: [] })).toBe(text)
    expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain(JSON.stringify(text).slice(1, -1))
  })

  it('is rejected above the limit without storing anything', async () => {
    const id = newId()
    expect((await startRun(ada, ask(id, 'x'.repeat(100_001)))).status).toBe(400)
    expect((await startRun(ada, ask(id, 'x'.repeat(2_000_000)))).status).toBe(413)
    expect((await ada.fetch(`/api/spaces/${ada.spaceId}/conversations/${id}`)).status).toBe(404)
  })
})

describe('a reader', () => {
  it('receives only what is newer than their version', async () => {
    const id = newId()
    model.answer([{ say: 'One.' }], [{ say: 'Two.' }])
    await answered(ada, ask(id, 'First'))
    const newer = (version: string) =>
      ada.fetch(`/api/spaces/${ada.spaceId}/conversations/${id}?known=${encodeURIComponent(version)}`)
    let { version } = await opened(ada, id)
    const changes: Record<string, () => Promise<unknown>> = {
      'another answer': () => answered(ada, ask(id, 'Second')),
      'another title': () =>
        ada.fetch(`/api/spaces/${ada.spaceId}/conversations/${id}`, {
          method: 'PATCH',
          headers: JSON_TYPE,
          body: '{"title":"New"}',
        }),
      sharing: () =>
        ada.fetch(`/api/spaces/${ada.spaceId}/conversations/${id}`, {
          method: 'PATCH',
          headers: JSON_TYPE,
          body: '{"visibility":"space"}',
        }),
    }
    for (const [change, make] of Object.entries(changes)) {
      expect((await newer(version)).status, change).toBe(204)
      await make()
      const response = await newer(version)
      expect(response.status, change).toBe(200)
      version = ((await response.json()) as { version: string }).version
    }
  })
})

describe('a result that is too large', () => {
  const callWith = async (characters: number) => {
    product.simulator.setOptions({ testTools: true })
    const id = newId()
    model.answer([{ call: 'simulator-payload', input: { characters } }])
    const message = await answered(ada, ask(id, 'How much?'))
    const [asked] = toolParts(message)
    model.answer([{ say: 'Much.' }])
    const approvalId = asked?.approval?.id ?? ''
    const after = await answered(ada, { type: 'decide', conversationId: id, approvalId, approved: true })
    product.simulator.setOptions({ testTools: false })
    expect(after.metadata?.end).toEqual({ kind: 'complete' })
    return toolParts((await opened(ada, id)).messages[1])[0]
  }

  it('is truncated with a note before it is stored', async () => {
    const part = await callWith(3_000_000)
    expect(part?.state).toBe('output-available')
    expect(JSON.stringify(part).length).toBeLessThan(1_100_000)
    expect(JSON.stringify(part)).toContain('more characters were left out')
  })

  it('is not read beyond the limit and does not suggest a retry', async () => {
    const part = await callWith(60_000_000)
    expect(part).toMatchObject({
      state: 'output-error',
      errorText: expect.stringContaining('may have applied the call'),
    })
    expect(JSON.stringify(part)).not.toMatch(/try again/i)
  })
})

describe('a change', () => {
  const change = (title: string) =>
    ({ call: 'notion-create-pages', input: { pages: [{ properties: { title } }] } }) as const
  const waiting = async (title: string, id = newId()) => {
    model.answer([change(title)])
    const message = await answered(ada, ask(id, `Create ${title}`))
    const [part] = toolParts(message)
    return { id, message, approvalId: part?.approval?.id ?? '' }
  }
  const decide = (conversationId: string, approvalId: string, approved: boolean, rest = {}) => ({
    type: 'decide',
    conversationId,
    approvalId,
    approved,
    ...rest,
  })

  it('waits for a decision and runs when approved', async () => {
    const before = toolCalls('notion-create-pages').length
    const { id, message, approvalId } = await waiting('Approved page')
    expect(message.metadata?.end).toEqual({ kind: 'approval' })
    expect(toolParts(message)).toMatchObject([{ state: 'approval-requested', input: change('Approved page').input }])
    expect(toolCalls('notion-create-pages')).toHaveLength(before)

    model.answer([{ say: 'It is made.' }])
    const after = await answered(ada, decide(id, approvalId, true))
    expect(after.metadata?.end).toEqual({ kind: 'complete' })
    expect(pageTitles()).toContain('Approved page')
    const kept = (await opened(ada, id)).messages
    expect(kept).toHaveLength(2)
    expect(toolParts(kept[1])).toMatchObject([{ state: 'output-available', approval: { approved: true } }])
  })

  it('does not run when denied, and the model is informed', async () => {
    const { id, approvalId } = await waiting('Denied page')
    model.answer([{ say: 'Then not.' }])
    await answered(ada, decide(id, approvalId, false))
    expect(pageTitles()).not.toContain('Denied page')
    expect(toolParts((await opened(ada, id)).messages[1])).toMatchObject([{ state: 'output-denied' }])
    const result = model.requests.at(-1)?.messages.find(({ role }) => role === 'tool')
    expect(JSON.stringify(result)).toMatch(/denied/i)
  })

  it('needs no approval in a conversation where its tool is always allowed, and only there', async () => {
    const { id, approvalId } = await waiting('First of many')
    model.answer([change('Second of many')], [{ say: 'Both are made.' }])
    const after = await answered(ada, decide(id, approvalId, true, { always: true }))
    expect(after.metadata?.end).toEqual({ kind: 'complete' })
    expect(pageTitles()).toEqual(expect.arrayContaining(['First of many', 'Second of many']))
    const elsewhere = await waiting('Asked again')
    expect(elsewhere.message.metadata?.end).toEqual({ kind: 'approval' })
  })

  it('cannot be approved for another call, twice, by another user, or after the user continued', async () => {
    const first = await waiting('Real page')
    const other = await waiting('Other page')
    const made = toolCalls('notion-create-pages').length
    const refused = async (answer: Promise<Response>, status: number) => expect((await answer).status).toBe(status)
    await refused(startRun(ada, decide(first.id, other.approvalId, true)), 409)
    await refused(startRun(ada, decide(first.id, 'made-up', true)), 409)
    await refused(startRun(ben, decide(first.id, first.approvalId, true), ada.spaceId), 404)
    // What the browser claims about the call counts for nothing.
    model.answer([{ say: 'Denied it is.' }])
    const forged = {
      input: { pages: [{ properties: { title: 'Forged page' } }] },
      messages: [],
      toolName: 'notion-search',
    }
    await answered(ada, { ...decide(first.id, first.approvalId, false), ...forged })
    await refused(startRun(ada, decide(first.id, first.approvalId, true)), 409)
    // Going on without a decision denies.
    model.answer([{ say: 'As you like.' }])
    await answered(ada, ask(other.id, 'Never mind'))
    await refused(startRun(ada, decide(other.id, other.approvalId, true)), 409)
    expect(toolCalls('notion-create-pages')).toHaveLength(made)
    expect(pageTitles()).not.toContain('Forged page')
  })

  it('waits until all changes of one step are decided', async () => {
    const id = newId()
    model.answer([change('Left page'), change('Right page')])
    const [left, right] = toolParts(await answered(ada, ask(id, 'Create both')))
    const undecided = await startRun(ada, decide(id, left?.approval?.id ?? '', true))
    expect(undecided.status).toBe(202)
    expect(pageTitles()).not.toContain('Left page')
    model.answer([{ say: 'One of them.' }])
    await answered(ada, decide(id, right?.approval?.id ?? '', false))
    expect(pageTitles()).toContain('Left page')
    expect(pageTitles()).not.toContain('Right page')
  })
})

describe('an active run', () => {
  /** An answer that waits in the middle. */
  const begun = async (user = ada, id = newId()) => {
    const gate = Promise.withResolvers<void>()
    model.answer([{ say: 'The beginning. ' }, { wait: gate.promise }, { say: 'The end.' }])
    const answer = await startRun(user, ask(id, 'Tell me slowly'), ada.spaceId)
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    const read = await readUntil(reader, 'beginning')
    return { id, reader, read, gate }
  }
  const streamOf = (user: UserClient, id: string) => user.fetch(`/api/spaces/${ada.spaceId}/conversations/${id}/stream`)

  it('continues when its reader leaves and can be streamed again from the start', async () => {
    const { id, reader, gate } = await begun()
    await reader.cancel()
    expect((await opened(ada, id)).isAnswering).toBe(true)
    const again = await streamOf(ada, id)
    gate.resolve()
    const message = messageIn(await again.text())
    expect(textOf(message)).toBe('The beginning. The end.')
    await expect.poll(async () => (await opened(ada, id)).isAnswering).toBe(false)
    expect((await opened(ada, id)).messages[1]).toEqual(message)
    expect((await streamOf(ada, id)).status).toBe(204)
  })

  it('is the only one in its conversation', async () => {
    const { id, reader, gate } = await begun()
    const second = await startRun(ada, ask(id, 'And this?'))
    expect(second.status).toBe(409)
    expect(await second.json()).toMatchObject({ code: 'answering' })
    gate.resolve()
    while (!(await reader.read()).done);
    expect((await opened(ada, id)).messages).toHaveLength(2)
  })

  it('stops on request and keeps its output so far', async () => {
    const { id, reader, gate } = await begun()
    const aborted = model.aborted()
    expect((await ada.post(`/api/spaces/${ada.spaceId}/conversations/${id}/stop`, {})).status).toBe(202)
    while (!(await reader.read()).done);
    const [, message] = (await opened(ada, id)).messages
    expect(message?.metadata?.end).toEqual({ kind: 'stopped' })
    expect(textOf(message ?? { parts: [] })).toBe('The beginning. ')
    await expect.poll(() => model.aborted()).toBe(aborted + 1)
    gate.resolve()
  })

  it('ends immediately for a removed member, as does their stream', async () => {
    const eve = await newUser(product.webUrl, { name: 'Eve', email: 'eve@north.test', password: 'a-good-password' })
    await invite(ada, eve, 'member')
    const shared = await begun(ada)
    await ada.fetch(`/api/spaces/${ada.spaceId}/conversations/${shared.id}`, {
      method: 'PATCH',
      headers: JSON_TYPE,
      body: '{"visibility":"space"}',
    })
    const reading = await streamOf(eve, shared.id)
    const own = await begun(eve)
    await ada.fetch(`/api/spaces/${ada.spaceId}/members/${eve.id}`, { method: 'DELETE' })
    let rest = ''
    for (let piece = await own.reader.read(); !piece.done; piece = await own.reader.read()) rest += piece.value
    expect(rest).not.toContain('The end.')
    const read = await reading.text()
    expect(read).not.toContain('The end.')
    expect(read).not.toContain('[DONE]')
    expect((await startRun(eve, ask(own.id, 'Still there?'), ada.spaceId)).status).toBe(403)
    shared.gate.resolve()
    own.gate.resolve()
    while (!(await shared.reader.read()).done);
  })
})

describe('several web processes', () => {
  /** Another web process on the same database, used by Ada with her session. */
  const second = async (env: Record<string, string> = {}) => {
    const port = await freePort()
    const web = await startProcess('apps/web/main.ts', '"web.listening"', {
      ...deploymentSecrets,
      PORT: String(port),
      WEB_URL: product.webUrl,
      CUDU_ENDPOINT: product.gatewayUrl,
      DATABASE_URL: databaseUrl,
      CHAT_MODEL: 'small',
      CHAT_BASE_URL: model.url,
      SHUTDOWN_GRACE_SECONDS: '1',
      ...env,
    })
    const send: UserClient['fetch'] = (path, init) => {
      const cookie = [...ada.cookies()].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { origin: product.webUrl, cookie, 'content-type': 'application/json' }
      return fetch(`http://localhost:${port}${path}`, { ...init, headers })
    }
    const there: UserClient = {
      ...ada,
      fetch: send,
      post: (path, body) => send(path, { method: 'POST', body: JSON.stringify(body) }),
    }
    return { web, there }
  }
  const conversationPath = (id: string) => `/api/spaces/${ada.spaceId}/conversations/${id}`

  it('read, stop and supersede each other’s runs', async () => {
    const { web, there } = await second()
    const gate = Promise.withResolvers<void>()
    const slow = [{ say: 'The beginning. ' }, { wait: gate.promise }, { say: 'The end.' }]

    // Written there, read here.
    const first = newId()
    model.answer(slow)
    const answer = await startRun(there, ask(first, 'Tell me'))
    const here = await ada.fetch(`${conversationPath(first)}/stream`)
    expect((await startRun(ada, ask(first, 'And this?'))).status).toBe(409)
    gate.resolve()
    expect(textOf(messageIn(await here.text()))).toBe('The beginning. The end.')
    await answer.text()

    // Written there, stopped here.
    const open = Promise.withResolvers<void>()
    const stopped = newId()
    model.answer([{ say: 'Still going. ' }, { wait: open.promise }])
    const going = await startRun(there, ask(stopped, 'Go on'))
    expect((await ada.post(`${conversationPath(stopped)}/stop`, {})).status).toBe(202)
    expect(messageIn(await going.text()).metadata?.end).toEqual({ kind: 'stopped' })

    // Written there, when that process is told to end.
    const left = newId()
    model.answer([{ say: 'Half of it. ' }, { wait: open.promise }])
    const reader = (await startRun(there, ask(left, 'Go on'))).body!.pipeThrough(new TextDecoderStream()).getReader()
    await readUntil(reader, 'it.')
    expect(await web.stop()).toBe(0)
    const [, message] = (await opened(ada, left)).messages
    expect(message?.metadata?.end).toEqual({ kind: 'interrupted' })
    expect(textOf(message ?? { parts: [] })).toContain('Half of it.')
    open.resolve()
  })

  it('finish active runs at shutdown and start no others', async () => {
    const { web, there } = await second({ SHUTDOWN_GRACE_SECONDS: '20' })
    const gate = Promise.withResolvers<void>()
    const id = newId()
    model.answer([{ say: 'Nearly ' }, { wait: gate.promise }, { say: 'done.' }])
    const reader = (await startRun(there, ask(id, 'Go on'))).body!.pipeThrough(new TextDecoderStream()).getReader()
    let read = await readUntil(reader, 'Nearly')
    const stopped = web.stop()
    await expect.poll(async () => (await there.fetch('/readyz')).status).toBe(503)
    const refused = await startRun(there, ask(newId(), 'And this?'))
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'restarting' }])
    gate.resolve()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) read += piece.value
    expect(messageIn(read)).toMatchObject({ metadata: { end: { kind: 'complete' } } })
    expect(await stopped).toBe(0)
    expect((await opened(ada, id)).messages.map(textOf)).toEqual(['Go on', 'Nearly done.'])
  })

  it('drop a tool with an unusable schema, and give the model what the user sees', async () => {
    const odd = await startOddGateway()
    odd.target = product.gatewayUrl
    odd.oddTools = [{ name: 'no-schema' }, { name: 'odd-schema', inputSchema: { type: 'string' } }, 'no tool', null]
    const { web, there } = await second({ CUDU_ENDPOINT: odd.url })
    const results = {
      'only structured content': { content: [], structuredContent: { answer: 'forty-two' } },
      'a link': { content: [{ type: 'resource_link', uri: 'https://files.test/forty-two', name: 'Report' }] },
      'an image': {
        content: [
          { type: 'image', data: 'forty+two+++', mimeType: 'image/png' },
          { type: 'text', text: 'forty-two' },
        ],
      },
    }
    for (const [what, result] of Object.entries(results)) {
      odd.results = { 'notion-fetch': result }
      model.answer([{ call: 'notion-fetch', input: { id: 'self' } }], [{ say: 'I see.' }])
      const message = await answered(there, ask(newId(), `Return ${what}`))
      expect(message.metadata?.end, what).toEqual({ kind: 'complete' })
      expect(toolParts(message)[0], what).toMatchObject({ state: 'output-available', output: result })
      const told = JSON.stringify(model.requests.at(-1)?.messages.find(({ role }) => role === 'tool'))
      expect(told, what).toContain('forty-two')
      expect(told, what).not.toContain('forty+two+++')
    }
    const offered = model.requests.at(-1)?.tools?.map((tool) => tool.function.name)
    expect(offered).toContain('notion-search')
    expect(offered).not.toContain('odd-schema')
    expect(web.output()).toContain('no-schema, odd-schema')
    await web.kill()
    await odd.stop()
  })

  it('recover the stored part of a run whose process died', async () => {
    const id = newId()
    model.answer([{ say: 'Known.' }])
    await answered(ada, ask(id, 'First'))
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    const answer = newId()
    await client.query(
      `insert into web.chat_answer (id, conversation_id, message_id, person_id, alive_at) values ($1, $2, 'lost', $3, now() - interval '1 minute')`,
      [answer, id, ada.id],
    )
    const chunks = [
      { type: 'start', messageId: 'lost' },
      { type: 'start-step' },
      { type: 'text-start', id: '1' },
      { type: 'text-delta', id: '1', delta: 'Stored before the end' },
      { type: 'tool-input-available', toolCallId: 'c', toolName: 'notion-create-pages', input: {}, dynamic: true },
    ]
    await client.query(`insert into web.chat_answer_chunk values ($1, 0, $2)`, [answer, JSON.stringify(chunks)])
    await client.end()
    const { messages, isAnswering } = await opened(ada, id)
    expect(isAnswering).toBe(false)
    expect(messages).toHaveLength(3)
    expect(messages[2]).toMatchObject({ id: 'lost', metadata: { end: { kind: 'interrupted' } } })
    expect(textOf(messages[2] ?? { parts: [] })).toBe('Stored before the end')
    expect(toolParts(messages[2])).toMatchObject([
      { state: 'output-error', errorText: expect.stringContaining('check before retrying') },
    ])
    model.answer([{ say: 'Again.' }])
    expect(textOf(await answered(ada, ask(id, 'Second')))).toBe('Again.')
  })
})

describe('the routes of the chat', () => {
  type Call = (user: UserClient, conversation: string) => Promise<Response>
  const inSpace = (path: string) => `/api/spaces/${ada.spaceId}${path}`
  const change = (user: UserClient, id: string, body: unknown) =>
    user.fetch(inSpace(`/conversations/${id}`), { method: 'PATCH', headers: JSON_TYPE, body: JSON.stringify(body) })
  const reading = {
    'opening a conversation': (user, id) => user.fetch(inSpace(`/conversations/${id}`)),
    'reading older messages': (user, id) => user.fetch(inSpace(`/conversations/${id}/messages?before=9`)),
    'following an answer': (user, id) => user.fetch(inSpace(`/conversations/${id}/stream`)),
  } as const satisfies Record<string, Call>
  const writing = {
    asking: (user, id) => startRun(user, ask(id, 'Hello'), ada.spaceId),
    regenerating: (user, id) => startRun(user, { type: 'regenerate', conversationId: id }, ada.spaceId),
    stopping: (user, id) => user.post(inSpace(`/conversations/${id}/stop`), {}),
    renaming: (user, id) => change(user, id, { title: 'Mine now' }),
    sharing: (user, id) => change(user, id, { visibility: 'space' }),
    deleting: (user, id) => user.fetch(inSpace(`/conversations/${id}`), { method: 'DELETE' }),
  } as const satisfies Record<string, Call>
  const all: Record<string, Call> = {
    ...reading,
    ...writing,
    'reading the last calls': (user) => user.fetch(inSpace('/tool-calls')),
    'keeping a call': (user) => user.post(inSpace('/tool-calls'), call),
    'forgetting the calls': (user) => user.fetch(inSpace('/tool-calls'), { method: 'DELETE' }),
    'listing conversations': (user) => user.fetch(inSpace('/conversations')),
    'searching conversations': (user) => user.fetch(inSpace('/conversations?search=secret')),
  }
  const call = { tool: 'notion-search', arguments: { query: 'x' }, outcome: 'ok', tookMs: 12 }
  let conversation: string
  let frida: UserClient
  beforeAll(async () => {
    conversation = newId()
    model.answer([{ say: 'A secret.' }])
    await answered(ada, ask(conversation, 'Tell me a secret about periwinkles'))
    frida = await newUser(product.webUrl, { name: 'Frida', email: 'frida@north.test', password: 'a-good-password' })
    await invite(ada, frida, 'member')
    await ada.fetch(`/api/spaces/${ada.spaceId}/members/${frida.id}`, { method: 'DELETE' })
  })
  const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code
  const nobody: Pick<UserClient, 'fetch'> = {
    fetch: (path, init) => fetch(product.webUrl + path, { ...init, headers: { origin: product.webUrl } }),
  }

  it.each(Object.keys(all))('reject anonymous users, other users and former members when %s', async (name) => {
    const anonymous: UserClient = {
      ...dora,
      ...nobody,
      post: (path, body) => nobody.fetch(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) }),
    }
    expect(await codeOf(await all[name]!(anonymous, conversation))).toBe('unauthenticated')
    expect(await codeOf(await all[name]!(dora, conversation))).toBe('forbidden_space')
    expect(await codeOf(await all[name]!(frida, conversation))).toBe('forbidden_space')
  })

  it.each(Object.keys({ ...reading, ...writing }))(
    'hide a private conversation from other members, and every one from other spaces, when %s',
    async (name) => {
      expect(await codeOf(await all[name]!(ben, conversation))).toBe('not_found')
      const elsewhere = {
        ...ben,
        fetch: ((path, init) => ben.fetch(path.replace(ada.spaceId, ben.spaceId), init)) satisfies UserClient['fetch'],
      }
      const moved: UserClient = {
        ...elsewhere,
        post: (path, body) => elsewhere.fetch(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) }),
      }
      expect(await codeOf(await all[name]!(moved, conversation))).toBe('not_found')
    },
  )

  it('let members read shared conversations, and only the owner continue and change them', async () => {
    expect((await writing.sharing(ada, conversation)).status).toBe(200)
    for (const call of Object.values(reading)) expect((await call(ben, conversation)).ok).toBe(true)
    for (const call of Object.values(writing)) {
      expect(await codeOf(await call(ben, conversation))).toBe('forbidden_conversation')
    }
    expect(await titles(ben, '?search=periwink')).toEqual(['A title from the model'])
    expect((await change(ada, conversation, { visibility: 'private' })).status).toBe(200)
    expect(await titles(ben, '?search=periwink')).toEqual([])
    expect(await titles(ada, '?search=periwink')).toEqual(['A title from the model'])
  })

  it.each(Object.keys(writing))('reject other origins when %s', async (name) => {
    const foreign: UserClient = {
      ...ada,
      fetch: (path, init) => ada.fetch(path, { ...init, origin: 'https://evil.example' }),
      post: (path, body) =>
        ada.fetch(path, { method: 'POST', body: JSON.stringify(body), origin: 'https://evil.example' }),
    }
    expect(await codeOf(await all[name]!(foreign, conversation))).toBe('forbidden_origin')
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['an unknown turn', '{"type":"obey","conversationId":"1"}'],
    ['an empty message', JSON.stringify({ ...ask(newId(), ' ') })],
    ['a conversation that is no id', JSON.stringify(ask("' or true --", 'Hello'))],
  ])('reject %s', async (_, body) => {
    expect((await ada.fetch(inSpace('/chat'), { method: 'POST', headers: JSON_TYPE, body })).status).toBe(400)
  })

  it.each([
    '1',
    '1_',
    `1_${newId()}`,
    `2026-13-45T00:00:00.000Z_${newId()}`,
    `now_${newId()}`,
    `99999-01-01T00:00:00.000Z_${newId()}`,
  ])('reject the page %s', async (before) => {
    const answer = await ada.fetch(inSpace(`/conversations?before=${encodeURIComponent(before)}`))
    expect(answer.status).toBe(400)
  })

  it.each(['NUL \0', 'line\nbreak', 'half \ud800'])('reject the title %j', async (title) => {
    expect((await change(ada, conversation, { title })).status).toBe(400)
  })

  it('rename, and list page by page', async () => {
    expect((await change(ada, conversation, { title: '  About flowers ' })).status).toBe(200)
    expect(await titles(ada, '?search=flowers')).toEqual(['About flowers'])
    for (let i = 0; i < 31; i++) {
      model.answer([{ say: 'Yes.' }])
      await answered(ben, ask(newId(), `Question ${i}`))
    }
    const first = await pageOf(ben, '')
    const second = await pageOf(ben, `?before=${encodeURIComponent(first.next ?? '')}`)
    expect([first.conversations.length, second.conversations.length]).toEqual([30, 1])
    expect(second.next).toBeUndefined()
    expect(new Set([...first.conversations, ...second.conversations].map(({ id }) => id)).size).toBe(31)
  })

  it('keep the last calls per user', async () => {
    expect((await all['keeping a call']!(ada, '')).status).toBe(204)
    const calls = async (user: UserClient) =>
      ((await (await all['reading the last calls']!(user, '')).json()) as { calls: unknown[] }).calls
    expect(await calls(ada)).toEqual([expect.objectContaining(call)])
    expect(await calls(ben)).toEqual([])
    expect((await all['forgetting the calls']!(ada, '')).status).toBe(204)
    expect(await calls(ada)).toEqual([])
  })

  it('delete permanently', async () => {
    expect((await writing.deleting(ada, conversation)).status).toBe(204)
    expect((await reading['opening a conversation'](ada, conversation)).status).toBe(404)
  })

  const pageOf = async (user: UserClient, query: string, space = user === ben ? ben.spaceId : ada.spaceId) =>
    (await (await user.fetch(`/api/spaces/${space}/conversations${query}`)).json()) as {
      conversations: { id: string; title: string }[]
      next?: string
    }
  const titles = async (user: UserClient, query: string) =>
    (await pageOf(user, query, ada.spaceId)).conversations.map(({ title }) => title)
})
