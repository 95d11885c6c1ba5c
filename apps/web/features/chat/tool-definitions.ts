/** What models' providers take as the name of a tool. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])

/** Members of a schema that hold schemas by name, in a list, or one. */
const BY_NAME = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
const IN_LIST = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const SINGLE = ['items', 'additionalProperties', 'not', 'contains', 'propertyNames', 'if', 'then', 'else']

/** Deeper than a user would write it, and than providers take. */
const DEEPEST = 40

/**
 * Whether a model can be offered the tool. Providers refuse a whole request because of one tool that they cannot read, so such a tool is
 * left out of the chat.
 *
 * @param tool an item of the list that the server sent, which can be anything.
 */
export function isUsableTool(tool: unknown): boolean {
  if (!isRecord(tool)) return false
  const { name, title, description, inputSchema, outputSchema, annotations, _meta } = tool
  return (
    typeof name === 'string' &&
    NAME.test(name) &&
    [title, description].every((text) => text === undefined || typeof text === 'string') &&
    [outputSchema, annotations, _meta].every((member) => member === undefined || isRecord(member)) &&
    areHints(annotations) &&
    isRecord(inputSchema) &&
    (inputSchema['type'] === undefined || inputSchema['type'] === 'object') &&
    isSchema(inputSchema, 0)
  )
}

function areHints(annotations: unknown): boolean {
  if (!isRecord(annotations)) return true
  const { title, ...hints } = annotations
  return (
    (title === undefined || typeof title === 'string') &&
    Object.entries(hints).every(([name, hint]) => !name.endsWith('Hint') || typeof hint === 'boolean')
  )
}

function isSchema(schema: unknown, depth: number): boolean {
  if (typeof schema === 'boolean') return true
  if (!isRecord(schema) || depth > DEEPEST) return false
  const isBelow = (below: unknown) => isSchema(below, depth + 1)
  const given = (members: readonly string[]) =>
    members.map((member) => schema[member]).filter((value) => value !== undefined)
  const { type, required, enum: values, $ref } = schema
  return (
    (type === undefined || (Array.isArray(type) ? type : [type]).every((each) => TYPES.has(each as string))) &&
    (required === undefined || (Array.isArray(required) && required.every((each) => typeof each === 'string'))) &&
    (values === undefined || Array.isArray(values)) &&
    ($ref === undefined || typeof $ref === 'string') &&
    given(BY_NAME).every((named) => isRecord(named) && Object.values(named).every(isBelow)) &&
    given(IN_LIST).every((list) => Array.isArray(list) && list.every(isBelow)) &&
    // Before JSON Schema 2020-12, `items` could be a list.
    given(SINGLE).every((single) => (Array.isArray(single) ? single.every(isBelow) : isBelow(single)))
  )
}

/**
 * The response to `tools/list` without tools that cannot be used; everything else of it stays. Event streams are changed event by event.
 *
 * @param onLeftOut receives the names of dropped tools.
 */
export async function withoutOddTools(
  response: Response,
  onLeftOut: (names: readonly string[]) => void,
): Promise<Response> {
  if (!response.ok || !response.body) return response
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (!isStream) {
    const text = await response.text()
    return new Response(filteredList(text, onLeftOut) ?? text, { status: response.status, headers })
  }
  // A server may keep the stream open after the list.
  const changed = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(
      byLine((line) => {
        const [, data] = /^data: ?(.*)$/.exec(line) ?? []
        const filtered = data === undefined ? undefined : filteredList(data, onLeftOut)
        return filtered === undefined ? line : `data: ${filtered}`
      }),
    )
    .pipeThrough(new TextEncoderStream())
  return new Response(changed, { status: response.status, headers })
}

/** Changes each line of a text as soon as it is complete. */
function byLine(change: (line: string) => string): TransformStream<string, string> {
  let rest = ''
  return new TransformStream({
    transform(piece, controller) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) controller.enqueue(`${change(line)}\n`)
    },
    flush(controller) {
      if (rest !== '') controller.enqueue(change(rest))
    },
  })
}

/** Undefined for a message that is no list of tools, or needs no change. */
function filteredList(json: string, onLeftOut: (names: readonly string[]) => void): string | undefined {
  const message = parsed(json)
  const result = isRecord(message) ? message['result'] : undefined
  if (!isRecord(message) || !isRecord(result) || !Array.isArray(result['tools'])) return undefined
  const listed: readonly unknown[] = result['tools']
  const names = new Set<unknown>()
  const tools = listed.filter((tool) => {
    if (!isUsableTool(tool) || !isRecord(tool) || names.has(tool['name'])) return false
    names.add(tool['name'])
    return true
  })
  if (tools.length === listed.length) return undefined
  const left = listed.filter((tool) => !tools.includes(tool))
  onLeftOut(left.map((tool) => (isRecord(tool) ? String(tool['name']).slice(0, 100) : typeof tool)))
  return JSON.stringify({ ...message, result: { ...result, tools } })
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
