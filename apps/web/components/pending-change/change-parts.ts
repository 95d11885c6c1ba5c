/** One value of a call, as it is shown before somebody approves the call. */
export interface ChangePart {
  /** Where it stands in the arguments, in words where the name is known: `Pages 1 › Properties › Status`. */
  readonly label: string
  /** The value, verbatim. For an empty one, words in its place; see {@link isLiteral}. */
  readonly text: string
  /** False when `text` is not a string of the call but stands for what has no characters of its own: null, true, 12, an empty list. */
  readonly isLiteral: boolean
  readonly tone: 'added' | 'removed' | 'danger' | 'plain'
  /** The page that the value names, as it is known here; `unknown` for a page's id that is not. */
  readonly page?: KnownPage | 'unknown'
  /** How many characters are shown before somebody asks for the rest; undefined when all are. */
  readonly cutAt?: number
}

export interface KnownPage {
  readonly title: string
  readonly url: string | undefined
}

/** What is known about a page's id or address; undefined for all other text. */
export type PageLookup = (value: string) => KnownPage | undefined

/** Beyond this, a text is cut until somebody expands it. */
const LONG_CHARACTERS = 2_000
const LONG_LINES = 40

/** Beyond this, the list of values is cut until somebody expands it. */
export const MANY_PARTS = 60

/**
 * Everything that a call would send: each value of the arguments is one part, with its text verbatim, whatever the tool and however odd
 * the arguments. What the call is aimed at comes first.
 *
 * @param input the arguments as they are stored, which is what would be sent.
 */
export function changeParts(input: unknown, pageOf: PageLookup = () => undefined): ChangePart[] {
  if (!isRecord(input)) return partsOf(input, [], 'Arguments', pageOf)
  return inOrder(input).flatMap(([name, value]) => partsOf(value, [name], labelOf(name), pageOf))
}

/** Targets first, then what is replaced before what replaces it. Databases keep no order of their own. */
const inOrder = (record: Readonly<Record<string, unknown>>): [string, unknown][] => {
  const rank = (name: string) => (TARGETS.has(name) ? 0 : FIRST.has(name) ? 1 : REMOVED.has(name) ? 2 : 3)
  return Object.entries(record).toSorted(([a], [b]) => rank(a) - rank(b))
}

function partsOf(value: unknown, path: readonly string[], label: string, pageOf: PageLookup): ChangePart[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [part('(empty list)', path, label, false)]
    return value.flatMap((item: unknown, index) => {
      return partsOf(item, path, value.length === 1 ? label : `${label} ${index + 1}`, pageOf)
    })
  }
  if (isRecord(value)) {
    const entries = inOrder(value)
    if (entries.length === 0) return [part('(no values)', path, label, false)]
    return entries.flatMap(([name, item]) => partsOf(item, [...path, name], `${label} › ${labelOf(name)}`, pageOf))
  }
  if (typeof value !== 'string') return [part(String(value), path, label, false)]
  if (value === '') return [part('(empty text)', path, label, false)]
  const page = pageOf(value) ?? (path.at(-1) === 'page_id' ? 'unknown' : undefined)
  return [{ ...part(value, path, label, true), ...(page && { page }) }]
}

function part(text: string, path: readonly string[], label: string, isLiteral: boolean): ChangePart {
  const cutAt = cutOf(text)
  return { label, text, isLiteral, tone: toneOf(path.at(-1) ?? '', text), ...(cutAt !== undefined && { cutAt }) }
}

/** Where a long text is cut, never inside of a character; undefined for one that is shown whole. */
function cutOf(text: string): number | undefined {
  let end = Math.min(text.length, LONG_CHARACTERS)
  let line = -1
  for (let lines = 0; lines < LONG_LINES; lines++) {
    line = text.indexOf('\n', line + 1)
    if (line === -1) break
  }
  if (line !== -1) end = Math.min(end, line)
  if (end >= text.length) return undefined
  const last = text.charCodeAt(end - 1)
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end
}

/** How many characters are hidden behind a cut, as people count them. */
export const hiddenCharacters = ({ text, cutAt }: ChangePart): number =>
  cutAt === undefined ? 0 : Array.from(text.slice(cutAt)).length

/** What a call is aimed at. */
const TARGETS = new Set([
  'page_id',
  'page_ids',
  'parent',
  'page_or_database_ids',
  'new_parent',
  'data_source_id',
  'database_id',
  'discussion_id',
  'view_id',
  'id',
  'url',
])

/** What a call does, and the names of what it does it with. */
const FIRST = new Set(['command', 'title'])

const REMOVED = new Set(['old_str', 'selection_with_ellipsis'])
const ADDED = new Set(['content', 'new_str', 'markdown', 'rich_text'])

function toneOf(name: string, text: string): ChangePart['tone'] {
  if (name === 'allow_deleting_content') return text === 'true' ? 'danger' : 'plain'
  if (REMOVED.has(name)) return 'removed'
  return ADDED.has(name) ? 'added' : 'plain'
}

/** Names of Notion's arguments in words. Every other name is shown as it is. */
const LABELS = new Map([
  ['page_id', 'Page'],
  ['page_ids', 'Pages'],
  ['parent', 'Parent'],
  ['new_parent', 'New parent'],
  ['page_or_database_ids', 'Pages and databases'],
  ['data_source_id', 'Data source'],
  ['database_id', 'Database'],
  ['command', 'Command'],
  ['pages', 'Page'],
  ['properties', 'Properties'],
  ['title', 'Title'],
  ['content', 'Content'],
  ['content_updates', 'Edit'],
  ['new_str', 'New text'],
  ['old_str', 'Text to replace'],
  ['replace_all_matches', 'Replace all matches'],
  ['allow_deleting_content', 'Allow deleting content'],
  ['position', 'Position'],
  ['type', 'Type'],
  ['icon', 'Icon'],
  ['cover', 'Cover'],
  ['template_id', 'Template'],
  ['markdown', 'Comment'],
])

const labelOf = (name: string): string => LABELS.get(name) ?? (name === '' ? '(no name)' : name)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
