import { resultBlocks } from '@/components/notion/result-blocks.ts'
import { errorSentence, webLink } from '@/components/notion/tool-result.ts'
import type { KnownPage, PageLookup } from '@/components/pending-change/change-parts.ts'
import { isToolPart, type ChatMessage, type ToolPart } from './chat-message.ts'
import { isArgs, textOf } from './tool-words.ts'

type CallToolResult = Parameters<typeof errorSentence>[0]

/** An MCP tool result. */
const isResult = (output: unknown): output is CallToolResult => isArgs(output) && Array.isArray(output['content'])

/** The payload of the result: its JSON if there is any, else its text. */
export function payloadIn(output: unknown): unknown {
  const blocks = resultBlocks(output)
  const json = blocks.find((block) => block.kind === 'json')
  return json ? json.value : blocks.map((block) => (block.kind === 'text' ? block.text : `[${block.kind}]`)).join('\n')
}

/** Why the call did not work, in a sentence; undefined when it did. */
export function failureIn(part: ToolPart): string | undefined {
  if (part.state === 'output-error') return part.errorText
  if (part.state !== 'output-available' || !isResult(part.output) || !part.output.isError) return undefined
  return errorSentence(part.output) || textOf(payloadIn(part.output)) || 'The tool reported an error.'
}

/** Pages by their plain ids, as the calls of a message found them: later calls name pages by id alone. */
export function pagesIn(message: Pick<ChatMessage, 'parts'>): ReadonlyMap<string, KnownPage> {
  const pages = new Map<string, KnownPage>()
  const add = (found: unknown) => {
    if (!isArgs(found)) return
    const properties = isArgs(found['properties']) ? found['properties'] : {}
    const title = textOf(found['title']) || textOf(properties['title'])
    const url = webLink(textOf(found['url']))
    for (const id of [textOf(found['id']), idIn(textOf(found['url']))]) {
      if (id && title) pages.set(plainId(id), { title, url })
    }
  }
  for (const part of message.parts) {
    if (!isToolPart(part) || part.state !== 'output-available') continue
    const payload = payloadIn(part.output)
    if (!isArgs(payload)) continue
    add(payload)
    for (const list of [payload['results'], payload['pages']]) if (Array.isArray(list)) list.forEach(add)
  }
  return pages
}

const pagesOfMessages = new WeakMap<object, ReadonlyMap<string, KnownPage>>()

/** What the messages know about a page's id or address. */
export function pageLookup(messages: readonly ChatMessage[]): PageLookup {
  return (value) => {
    if (!isAddress(value)) return undefined
    const id = plainId(value)
    for (const message of messages.toReversed()) {
      const pages = pagesOfMessages.get(message) ?? pagesIn(message)
      pagesOfMessages.set(message, pages)
      const page = pages.get(id)
      if (page) return page
    }
    return undefined
  }
}

/** An id or an address alone: a text that mentions a page does not name its target. */
const isAddress = (value: string): boolean =>
  value.length < 500 && !/\s/.test(value) && idIn(value.replaceAll('-', '')) !== ''

const idIn = (url: string) => /[0-9a-f]{32}/.exec(url)?.[0] ?? ''

/** Notion writes the same id with and without dashes, and inside addresses. */
export const plainId = (id: string): string => {
  const dashless = id.replaceAll('-', '')
  return idIn(dashless) || dashless
}
