import type { ToolPart } from './chat-message.ts'

/** What a call does, in words: while it runs, when it is done, and as a question before it is made. */
export interface ToolWords {
  readonly doing: string
  readonly done: string
  readonly question: string
}

type Args = Readonly<Record<string, unknown>>
type Describe = (args: Args, titleOf: (id: string) => string | undefined) => ToolWords

/** By the name of the tool. One that is not here is described by its own title. */
const described: Readonly<Record<string, Describe>> = {
  'notion-search': (args) => {
    const what = quoted(args['query'])
    return words(`Searching Notion for ${what}`, `Searched Notion for ${what}`, `Search Notion for ${what}?`)
  },
  'notion-fetch': (args, titleOf) => {
    const id = textOf(args['id'])
    const what = id === 'self' ? 'who is connected' : (quotedOr(titleOf(id)) ?? 'a page')
    return words(`Reading ${what}`, `Read ${what}`, `Read ${what}?`)
  },
  'notion-create-pages': (args) => {
    const titles = newTitles(args)
    const what = titles.length === 1 ? `the page ${quoted(titles[0])}` : `${titles.length} pages`
    return words(`Creating ${what}`, `Created ${what}`, `Create ${what}?`)
  },
  'notion-update-page': (args, titleOf) => {
    const what = quotedOr(titleOf(textOf(args['page_id']))) ?? 'a page'
    return words(`Changing ${what}`, `Changed ${what}`, `Change ${what}?`)
  },
  'notion-create-comment': (args, titleOf) => {
    const what = quotedOr(titleOf(textOf(args['page_id']))) ?? 'a page'
    return words(`Commenting on ${what}`, `Commented on ${what}`, `Comment on ${what}?`)
  },
  'notion-get-users': () => words('Looking up people', 'Looked up people', 'Look up people?'),
  'notion-query-data-sources': () => words('Querying a database', 'Queried a database', 'Query a database?'),
}

export function toolWords(part: ToolPart, titleOf: (id: string) => string | undefined): ToolWords {
  const describe = described[part.toolName]
  if (describe) return describe(isArgs(part.input) ? part.input : {}, titleOf)
  const name = part.title ?? readableName(part.toolName)
  return words(`Using “${name}”`, `Used “${name}”`, `Use “${name}”?`)
}

/** The display name of a tool: without its server's prefix, in words. */
export const readableName = (toolName: string): string => {
  const plain = toolName.replace(/^notion-/, '').replaceAll(/[-_]+/g, ' ')
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}

export const isArgs = (value: unknown): value is Args =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function newTitles(args: Args): string[] {
  const pages = Array.isArray(args['pages']) ? args['pages'].filter(isArgs) : []
  return pages.map(({ properties }) => (isArgs(properties) && textOf(properties['title'])) || 'Untitled')
}

const words = (doing: string, done: string, question: string): ToolWords => ({ doing: `${doing} …`, done, question })

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const quoted = (value: unknown) => {
  const text = textOf(value).replaceAll(/\s+/g, ' ')
  return text.length > 80 ? `“${text.slice(0, 80)}…”` : `“${text}”`
}
const quotedOr = (title: string | undefined) => (title === undefined ? undefined : quoted(title))
