import type { LanguageModel } from 'ai'

/** The AI SDK's interface of a model, in its current version. */
export type LanguageModelV4 = Extract<LanguageModel, { specificationVersion: 'v4' }>
type StreamResult = Awaited<ReturnType<LanguageModelV4['doStream']>>
type StreamPart = StreamResult['stream'] extends ReadableStream<infer Part> ? Part : never
type CallOptions = Parameters<LanguageModelV4['doStream']>[0]
type Prompt = CallOptions['prompt']

/** About as fast as a user reads along. */
const WORD_MS = 18

/** What the script says next: words for the user, or a call of a tool. */
type Line = { readonly say: string } | { readonly say?: string; readonly call: string; readonly input: unknown }

/**
 * A stand-in for a language model in the demo. It understands a handful of requests by their words and follows a script; but the tools
 * that it calls are really called, and what it says of them is what they answered.
 */
export function scriptedModel(): LanguageModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'scripted',
    modelId: 'scripted',
    supportedUrls: {},
    doStream: async ({ prompt, tools = [], abortSignal }) => {
      const line = nextLine(prompt, new Set(tools.map(({ name }) => name)))
      return { stream: spoken(line, size(prompt), abortSignal) }
    },
    doGenerate: () => Promise.reject(new Error('The scripted model only streams.')),
  }
}

const size = (prompt: Prompt) => Math.ceil(JSON.stringify(prompt).length / 4)

function spoken(line: Line, inputTokens: number, abortSignal: AbortSignal | undefined): ReadableStream<StreamPart> {
  const parts = partsOf(line, inputTokens)
  return new ReadableStream<StreamPart>({
    async pull(controller) {
      const { done, value } = parts.next()
      if (done) return controller.close()
      if (value.type === 'text-delta') await pause(WORD_MS, abortSignal)
      if (abortSignal?.aborted) return controller.error(abortSignal.reason)
      controller.enqueue(value)
    },
  })
}

function* partsOf(line: Line, inputTokens: number): Generator<StreamPart, undefined> {
  yield { type: 'stream-start', warnings: [] }
  const words = line.say?.match(/\S+\s*|\s+/g) ?? []
  if (words.length > 0) {
    const id = crypto.randomUUID()
    yield { type: 'text-start', id }
    for (const delta of words) yield { type: 'text-delta', id, delta }
    yield { type: 'text-end', id }
  }
  const isCall = 'call' in line
  if (isCall) {
    const input = JSON.stringify(line.input)
    yield { type: 'tool-call', toolCallId: `call_${crypto.randomUUID()}`, toolName: line.call, input }
  }
  yield {
    type: 'finish',
    finishReason: { unified: isCall ? 'tool-calls' : 'stop', raw: undefined },
    usage: {
      inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: words.length, text: words.length, reasoning: 0 },
    },
  }
  return undefined
}

const pause = (ms: number, signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

interface Outcome {
  readonly tool: string
  readonly text: string
  readonly isDenied: boolean
}

function nextLine(prompt: Prompt, tools: ReadonlySet<string>): Line {
  const asked = prompt.findLastIndex(({ role }) => role === 'user')
  const request = textIn(prompt[asked])
  const outcomes = prompt.slice(asked + 1).flatMap(outcomesIn)
  const last = outcomes.at(-1)
  if (last?.isDenied) return { say: 'Okay, nothing was changed. What would you like instead?' }
  const line = scriptFor(request)(outcomes)
  if ('call' in line && !tools.has(line.call)) {
    return { say: `I would need Notion’s tool \`${line.call}\` for this, and it is not there. Is Notion connected?` }
  }
  return line
}

function textIn(message: Prompt[number] | undefined): string {
  if (message?.role !== 'user') return ''
  return message.content.map((part) => (part.type === 'text' ? part.text : '')).join(' ')
}

function outcomesIn(message: Prompt[number]): Outcome[] {
  if (message.role !== 'tool') return []
  return message.content.flatMap((part) => {
    if (part.type !== 'tool-result') return []
    const { output } = part
    const isDenied = output.type === 'execution-denied'
    return [{ tool: part.toolName, text: isDenied ? '' : readable(output), isDenied }]
  })
}

function readable(output: { type: string; value?: unknown }): string {
  const value: unknown = output.value
  if (typeof value === 'string') return value
  const blocks = Array.isArray(value) ? (value as unknown[]) : isRecord(value) ? value['content'] : undefined
  if (!Array.isArray(blocks)) return JSON.stringify(value)
  return blocks
    .map((block: unknown) => (isRecord(block) && typeof block['text'] === 'string' ? block['text'] : ''))
    .join('\n')
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

type Script = (outcomes: readonly Outcome[]) => Line

function scriptFor(request: string): Script {
  const [, quoted] = /[“"„«]([^”"“»]+)[”"“»]/.exec(request) ?? []
  const [, addition, target] =
    /\b(?:add|append|note)\b\s+(.+?)\s+(?:to|in|on)\s+(?:the\s+|my\s+)?(.+?)[.!?]*$/i.exec(request) ?? []
  if (/\b(create|write|make|start|draft)\b.*\bpages?\b/i.test(request)) return createPage(quoted ?? named(request))
  if (addition && target) return addTo(withoutQuotes(addition), withoutQuotes(target).replace(/\s+page$/i, ''))
  if (/\b(who|people|members|colleagues)\b/i.test(request)) return listPeople
  const topic = quoted ?? topicOf(request)
  if (/\b(read|open|summari[sz]e|summary|show|explain|what|when|why|how)\b/i.test(request)) return readPage(topic)
  if (/\b(find|search|look|where|which|list)\b/i.test(request) || topic.split(' ').length <= 4) return findPages(topic)
  return () => ({ say: HELP })
}

const HELP = `I am a script, not a language model, so I only understand a few things:

- **Find** pages: *Find the launch plan*
- **Read** a page: *Summarize the launch plan*
- **Create** a page: *Create a page “Ideas for May”*
- **Add** to a page: *Add “Call the printer” to the launch plan*

With a real model, set as \`CHAT_MODEL\`, you can ask whatever you like.`

const withoutQuotes = (text: string) => text.replaceAll(/[“”„"«»]/g, '').trim()

const named = (request: string): string =>
  /\b(?:called|titled|named|about|for)\s+(.+?)[.!?]*$/i.exec(request)?.[1] ?? 'Notes from the chat'

/** What is left of a request without the words that only frame it. */
function topicOf(request: string): string {
  const frame =
    /\b(please|can|could|you|me|us|find|search|look|up|for|where|which|list|read|open|summari[sz]e|a|an|summary|show|explain|tell|what|when|why|how|is|are|do|does|did|we|our|the|my|of|in|notion|about|page|pages|say|says|there|it)\b/gi
  const left = request
    .replaceAll(frame, ' ')
    .replaceAll(/[?!.,;:“”"„]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return left || request.trim()
}

const SEARCH = 'notion-search'
const FETCH = 'notion-fetch'
const CREATE = 'notion-create-pages'
const UPDATE = 'notion-update-page'
const PEOPLE = 'notion-get-users'

const findPages =
  (topic: string): Script =>
  ([found]) => {
    if (!found) return { say: 'Let me look that up. ', call: SEARCH, input: { query: topic } }
    const results = foundPages(found)
    if (results.length === 0) return { say: nothingFound(found, topic) }
    const lines = results.slice(0, 5).map(({ title, url, path }) => `- [${title}](${url})${path ? ` in ${path}` : ''}`)
    return { say: `This is what Notion has about “${topic}”:\n\n${lines.join('\n')}\n\nShall I summarize one of them?` }
  }

const readPage =
  (topic: string): Script =>
  ([found, fetched]) => {
    if (!found) return { say: 'I look for the page first. ', call: SEARCH, input: { query: topic } }
    const [page] = foundPages(found)
    if (!page) return { say: nothingFound(found, topic) }
    if (!fetched) return { call: FETCH, input: { id: page.id } }
    const content = /<content>\n?([\s\S]*?)\n?<\/content>/.exec(field(fetched, 'text'))?.[1]
    if (content === undefined) return { say: trouble(fetched) ?? `**${page.title}** is empty.` }
    const gist = ends(content.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('<'))).map((line) =>
      line.replace(/^#+\s*(.*)$/, '\n**$1**\n').replace(/^- \[[ x]\] /, '- '),
    )
    return { say: `Here is what [${page.title}](${page.url}) says in short:\n\n${gist.join('\n').trim()}` }
  }

/** The beginning of a page and its end, where the chat adds to it. */
const ends = (lines: readonly string[]): readonly string[] =>
  lines.length <= 10 ? lines : [...lines.slice(0, 6), '…', ...lines.slice(-3)]

const createPage =
  (title: string): Script =>
  ([created]) => {
    if (!created) {
      const page = { properties: { title }, content: `Started from the chat.\n\n- [ ] First step` }
      return { say: `I would create the page **${title}**. `, call: CREATE, input: { pages: [page] } }
    }
    const url = /"url":"([^"]+)"/.exec(created.text)?.[1]
    return { say: url ? `Done: [${title}](${url}) is there now.` : (trouble(created) ?? 'Done.') }
  }

const addTo =
  (addition: string, target: string): Script =>
  ([found, updated]) => {
    if (!found) return { say: 'I look for the page first. ', call: SEARCH, input: { query: target } }
    const [page] = foundPages(found)
    if (!page) return { say: nothingFound(found, target) }
    if (!updated) {
      const input = {
        page_id: page.id,
        command: 'insert_content',
        content: `- [ ] ${addition}`,
        position: { type: 'end' },
      }
      return { say: `I would add this at the end of **${page.title}**. `, call: UPDATE, input }
    }
    return { say: trouble(updated) ?? `Done: “${addition}” now stands at the end of [${page.title}](${page.url}).` }
  }

const listPeople: Script = ([found]) => {
  if (!found) return { say: 'Let me ask Notion who is there. ', call: PEOPLE, input: {} }
  const people = records(found, 'results').map((user) => `- ${text(user, 'name')} (${text(user, 'email')})`)
  return {
    say:
      people.length > 0 ? `These people are in the workspace:\n\n${people.join('\n')}` : (trouble(found) ?? 'Nobody.'),
  }
}

const foundPages = (found: Outcome) =>
  records(found, 'results').map((page) => ({
    id: text(page, 'id'),
    title: text(page, 'title') || 'Untitled',
    url: text(page, 'url'),
    path: text(page, 'path'),
  }))

const nothingFound = (found: Outcome, topic: string): string =>
  trouble(found) ?? `Notion found nothing about “${topic}”. Other words may help.`

/** What a tool that failed says, in a sentence. */
function trouble({ text: answer }: Outcome): string | undefined {
  const [, message] = /\\?"message\\?":\\?"([^"\\]+)/.exec(answer) ?? []
  if (answer.includes('rate_limited')) return 'Notion asks to slow down. Try again in a minute.'
  return message && `Notion answered that this did not work: ${message}`
}

function parsed({ text: answer }: Outcome): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(answer)
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function records(outcome: Outcome, name: string): Record<string, unknown>[] {
  const value = parsed(outcome)[name]
  return Array.isArray(value) ? value.filter(isRecord) : []
}

const text = (record: Record<string, unknown>, name: string): string => {
  const value = record[name]
  return typeof value === 'string' ? value : ''
}

const field = (outcome: Outcome, name: string): string => text(parsed(outcome), name)
