/** What a caller with the scope `notion:read` may ask of an MCP server. */
import { eachElement, eachMember, firstValue, foldedCase, isArray, isObject, stringOf } from '../proxy/json-bytes.ts'

/** Tells of a tool's name whether calling it changes nothing, as far as is known for certain. */
export type IsReadOnlyTool = (name: string) => boolean

/** One message of a body, or the one of which the header speaks. Without a method it is an answer to the server. */
interface Asked {
  readonly method: string | undefined
  /** `params.name`. */
  readonly name: string | undefined
}

/**
 * The methods that read, or manage nothing but the caller's own exchange with the server. What is not here counts as writing. The extensions:
 *
 * - Tasks (SEP-2663, before that in revision 2025-11-25): all callers of a space share its tasks, so only looking at them is reading.
 * - Skills (SEP-2640): all of its methods read.
 * - Apps (SEP-1865): adds no method at the server. Its `ui/…` messages stay between a client and what it shows.
 */
const READING = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'subscriptions/listen',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'skills/list',
  'skills/get',
  'resources/directory/read',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
])
const CALL = 'tools/call'

export type ReadVerdict =
  | { readonly isAllowed: true; readonly listsTools: boolean }
  | { readonly isAllowed: false; readonly refused: 'ambiguous' }
  | { readonly isAllowed: false; readonly refused: 'writing'; readonly kind: 'tool' | 'method'; readonly what: string }

/**
 * Judges a body (JSON, already checked) together with the header fields that repeat what is in it: whichever of them the server goes by,
 * it must be reading. A body whose members two readers could understand differently is refused.
 *
 * @param headers names and values in turn.
 */
export function readVerdict(body: Buffer, headers: readonly string[], isReadOnlyTool: IsReadOnlyTool): ReadVerdict {
  const messages = askedIn(body)
  if (messages === undefined) return { isAllowed: false, refused: 'ambiguous' }
  for (const asked of [...messages, ...askedByHeaders(headers, messages)]) {
    const { method, name } = asked
    if (method === undefined || READING.has(method)) continue
    if (method !== CALL) return { isAllowed: false, refused: 'writing', kind: 'method', what: method }
    if (name === undefined || !isReadOnlyTool(name)) {
      return { isAllowed: false, refused: 'writing', kind: 'tool', what: name ?? '' }
    }
  }
  return { isAllowed: true, listsTools: messages.some(({ method }) => method === 'tools/list') }
}

/**
 * Whether a body that was sent changes nothing, for certain. Stricter than {@link readVerdict}: a message without a method is a response to the
 * server, which may then go on with what it asked about.
 */
export function onlyReads(body: Buffer, headers: readonly string[], isReadOnlyTool: IsReadOnlyTool): boolean {
  const messages = askedIn(body) ?? []
  return (
    messages.length > 0 &&
    messages.every(({ method }) => method !== undefined) &&
    readVerdict(body, headers, isReadOnlyTool).isAllowed
  )
}

/** Undefined when a member that decides is there twice, also in another spelling: not every reader minds case. */
function askedIn(body: Buffer): Asked[] | undefined {
  const messages: Asked[] = []
  let isAmbiguous = false
  const read = (at: number): void => {
    if (!isObject(body, at)) {
      isAmbiguous ||= isArray(body, at)
      return
    }
    const members = decisive(body, at, ['method', 'params'])
    const params = members?.get('params')
    const inner = params !== undefined && isObject(body, params.start) ? decisive(body, params.start, ['name']) : NONE
    if (!members || !inner) isAmbiguous = true
    else messages.push({ method: text(body, members.get('method')), name: text(body, inner.get('name')) })
  }
  const first = firstValue(body)
  if (isArray(body, first)) eachElement(body, first, read)
  else read(first)
  return isAmbiguous ? undefined : messages
}

interface Range {
  readonly start: number
  readonly end: number
}

const NONE: ReadonlyMap<string, Range> = new Map()

function decisive(body: Buffer, at: number, names: readonly string[]): ReadonlyMap<string, Range> | undefined {
  const found = new Map<string, Range>()
  let isAmbiguous = false
  eachMember(body, at, (name, start, end) => {
    const folded = foldedCase(name)
    if (!names.includes(folded)) return
    isAmbiguous ||= found.has(folded)
    found.set(folded, { start, end })
  })
  return isAmbiguous ? undefined : found
}

/** A method or name that is no string is nothing that a server could carry out; it gets a value that nothing allows. */
const text = (body: Buffer, range: Range | undefined) =>
  range === undefined ? undefined : (stringOf(body, range.start, range.end) ?? '')

/** What `Mcp-Method` and `Mcp-Name` say, each together with all that the other or the body says. */
function askedByHeaders(headers: readonly string[], messages: readonly Asked[]): Asked[] {
  const methods: string[] = []
  const names: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const field = headers[i]?.toLowerCase()
    if (field === 'mcp-method') methods.push(headers[i + 1] ?? '')
    else if (field === 'mcp-name') names.push(plain(headers[i + 1] ?? ''))
  }
  if (names.length > 0 && messages.some(({ method }) => method === CALL)) methods.push(CALL)
  const named = [...names, ...messages.flatMap(({ name }) => (name === undefined ? [] : [name]))]
  return methods.flatMap((method): Asked[] =>
    named.length === 0 ? [{ method, name: undefined }] : named.map((name) => ({ method, name })),
  )
}

/** Undoes the form in which MCP sends what a header cannot hold: `=?base64?…?=`. */
function plain(value: string): string {
  const [, base64] = /^=\?base64\?(.*)\?=$/i.exec(value) ?? []
  return base64 === undefined ? value : Buffer.from(base64, 'base64').toString('utf8')
}
