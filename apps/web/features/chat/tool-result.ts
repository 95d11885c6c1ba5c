import { errorSentence, payloadOf } from '../../components/notion/tool-result.ts'
import { isToolPart, type ChatMessage, type ToolPart } from './chat-message.ts'
import { isArgs, textOf } from './tool-words.ts'

type CallToolResult = Parameters<typeof payloadOf>[0]

/** What a tool answered, as MCP has it. */
const isResult = (output: unknown): output is CallToolResult => isArgs(output) && Array.isArray(output['content'])

/** What was meant by the answer: the JSON inside, where there is some. */
export const payloadIn = (output: unknown): unknown => (isResult(output) ? payloadOf(output) : output)

/** Why the call did not work, in a sentence; undefined when it did. */
export function failureIn(part: ToolPart): string | undefined {
  if (part.state === 'output-error') return part.errorText
  if (part.state !== 'output-available' || !isResult(part.output) || !part.output.isError) return undefined
  return errorSentence(part.output)
}

/** Titles of pages by their ids, as the calls of a message found them: later calls name pages by id alone. */
export function titlesIn(message: Pick<ChatMessage, 'parts'>): ReadonlyMap<string, string> {
  const titles = new Map<string, string>()
  const add = (found: unknown) => {
    if (!isArgs(found)) return
    const title = textOf(found['title'])
    for (const id of [textOf(found['id']), idIn(textOf(found['url']))]) if (id && title) titles.set(plainId(id), title)
  }
  for (const part of message.parts) {
    if (!isToolPart(part) || part.state !== 'output-available') continue
    const payload = payloadIn(part.output)
    add(payload)
    if (isArgs(payload) && Array.isArray(payload['results'])) payload['results'].forEach(add)
  }
  return titles
}

const idIn = (url: string) => /[0-9a-f]{32}/.exec(url)?.[0] ?? ''

/** Notion writes the same id with and without dashes, and inside addresses. */
export const plainId = (id: string): string => {
  const dashless = id.replaceAll('-', '')
  return idIn(dashless) || dashless
}
