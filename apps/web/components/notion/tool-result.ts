import '@/lib/zod-without-eval.ts'
import { z } from 'zod'

/** What a tool returned, as far as it is read here. */
export interface ToolResult {
  readonly content?: readonly { readonly type: string; readonly text?: unknown }[] | undefined
  readonly isError?: boolean | undefined
}

/** Notion puts the JSON of a result into one text block. */
export function payloadOf(result: ToolResult): unknown {
  const text = textOf(result)
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const textOf = (result: ToolResult): string =>
  (result.content ?? [])
    .map(({ type, text }) => (type === 'text' && typeof text === 'string' ? text : `[${type}]`))
    .join('\n')

const ToolError = z.object({
  code: z.string().optional(),
  /** JSON inside JSON: what the REST API answered. */
  body: z.string().optional(),
  message: z.string().optional(),
  retry_after_seconds: z.number().optional(),
})
const WrappedToolError = z.object({ error: ToolError })
const ApiBody = z.object({ message: z.string() })

/** What an answer that reports an error says, in a sentence. */
export function errorSentence(result: ToolResult): string {
  const payload = payloadOf(result)
  const error = WrappedToolError.safeParse(payload).data?.error ?? ToolError.safeParse(payload).data
  if (error?.code === 'rate_limited') {
    const wait = error.retry_after_seconds
    return `Notion’s rate limit is reached. Try again ${wait === undefined ? 'in a minute' : `in ${wait} seconds`}.`
  }
  const body = error?.body === undefined ? undefined : ApiBody.safeParse(parsed(error.body)).data
  return (body?.message ?? error?.message ?? textOf(result)) || 'The tool reported an error without details.'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const SearchResults = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      url: z.string().optional(),
      type: z.string().optional(),
      highlight: z.string().optional(),
      timestamp: z.string().optional(),
      path: z.string().optional(),
    }),
  ),
})
export type SearchResult = z.infer<typeof SearchResults>['results'][number]

export const FetchedPage = z.object({
  title: z.string(),
  url: z.string().optional(),
  path: z.string().optional(),
  text: z.string(),
})

/** The page itself, without the frame that Notion puts around it for language models. */
export function pageContent(text: string): string {
  const content = /<content>\n?([\s\S]*?)\n?<\/content>/.exec(text)?.[1]
  if (content !== undefined) return content
  return text.includes('<blank-page>') ? 'This page is empty.' : text
}

/** A link that may be followed. What a server sends as an address can be anything. */
export function webLink(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined
  return ['http:', 'https:'].includes(new URL(url).protocol) ? url : undefined
}
