/**
 * The header fields of a call as the gateway sees them, and those that go on to upstream.
 * Names and values stand in turn in one flat array, spelled as they came: order, repetition and case are the sender's.
 */
export interface CallHeaders {
  readonly forward: string[]
  /** `X-Space-ID`. */
  readonly spaceId: string | undefined
  /** `Mcp-Session-Id`. It is what goes upstream, too. */
  readonly sessionId: string | undefined
  /** `Mcp-Protocol-Version`. It goes upstream, too. */
  readonly protocolVersion: string | undefined
  readonly contentEncoding: string | undefined
  readonly contentType: string | undefined
  /** A field that decides something and is there more than once, so that two readers might decide differently. */
  readonly repeated: string | undefined
}

/** The header fields of upstream's answer that the caller gets, in the same form. */
export interface ResponseHeaders {
  readonly forward: string[]
  /** Kept apart: whether it is sent depends on how the body is framed towards the caller. */
  readonly contentLength: string | undefined
  /** `Mcp-Session-Id`, if upstream gave or echoed one. */
  readonly sessionId: string | undefined
  /** `WWW-Authenticate`: for us alone, as it leads to upstream's authorization server. */
  readonly challenge: string | undefined
}

/**
 * What upstream is meant to see of a request. Everything else stays here: the caller's own credentials and cookies, where it was
 * called from, and whatever belongs to the connection between caller and gateway.
 */
const requestFields = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'baggage',
  'content-type',
  'last-event-id',
  'traceparent',
  'tracestate',
])

/** What the caller is meant to see of an answer. Challenges, cookies, CORS and transport promises are upstream's own affair. */
const answerFields = new Set([
  'age',
  'allow',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'pragma',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'vary',
  'x-accel-buffering',
])

/**
 * `Mcp-Session-Id`, `Mcp-Protocol-Version`, `Mcp-Method`, `Mcp-Name` and any that a later revision adds: a header `Mcp-Param-*` that
 * an intermediary does not know must be forwarded.
 */
const MCP = 'mcp-'

/** Reads and reduces the raw header fields of a request. */
export function callHeaders(raw: readonly string[]): CallHeaders {
  const forward: string[] = []
  let spaceId: string | undefined
  let sessionId: string | undefined
  let protocolVersion: string | undefined
  let contentEncoding: string | undefined
  let contentType: string | undefined
  let connection: string | undefined
  let hasUser = false
  let repeated: string | undefined

  for (let i = 0; i + 1 < raw.length; i += 2) {
    const field = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const name = field.toLowerCase()
    if (requestFields.has(name)) {
      if (name === 'content-type') {
        if (contentType !== undefined) repeated = field
        contentType = value
      }
      forward.push(field, value)
    } else if (name.startsWith(MCP)) {
      if (name === 'mcp-session-id') {
        if (sessionId !== undefined) repeated = field
        sessionId = value
      } else if (name === 'mcp-protocol-version') {
        protocolVersion = value
      }
      forward.push(field, value)
    } else if (name === 'x-space-id') {
      if (spaceId !== undefined) repeated = field
      spaceId = value
    } else if (name === 'x-user-id') {
      if (hasUser) repeated = field
      hasUser = true
    } else if (name === 'content-encoding') {
      contentEncoding = contentEncoding === undefined ? value : `${contentEncoding}, ${value}`
    } else if (name === 'connection') {
      connection = connection === undefined ? value : `${connection},${value}`
    }
  }

  const nominated = connection === undefined ? undefined : nominatedFields(connection)
  const given = { forward, spaceId, sessionId, protocolVersion, contentEncoding, contentType, repeated }
  if (nominated === undefined) return given
  if (nominated.has('mcp-session-id')) sessionId = undefined
  return { ...given, sessionId, forward: without(forward, nominated) }
}

/** Reads and reduces the raw header fields of upstream's answer. */
export function responseHeaders(raw: readonly Buffer[]): ResponseHeaders {
  const forward: string[] = []
  let contentLength: string | undefined
  let sessionId: string | undefined
  let challenge: string | undefined
  let connection: string | undefined

  for (let i = 0; i + 1 < raw.length; i += 2) {
    const field = latin1(raw[i])
    const name = field.toLowerCase()
    if (answerFields.has(name) || name.startsWith('x-ratelimit-')) {
      forward.push(field, latin1(raw[i + 1]))
    } else if (name.startsWith(MCP)) {
      const value = latin1(raw[i + 1])
      // One session, one id: the caller gets the one that is remembered.
      if (name === 'mcp-session-id') {
        if (sessionId !== undefined) continue
        sessionId = value
      }
      forward.push(field, value)
    } else if (name === 'content-length') {
      contentLength = latin1(raw[i + 1])
    } else if (name === 'www-authenticate') {
      const value = latin1(raw[i + 1])
      challenge = challenge === undefined ? value : `${challenge}, ${value}`
    } else if (name === 'connection') {
      const value = latin1(raw[i + 1])
      connection = connection === undefined ? value : `${connection},${value}`
    }
  }

  const nominated = connection === undefined ? undefined : nominatedFields(connection)
  if (nominated === undefined) return { forward, contentLength, sessionId, challenge }
  if (nominated.has('mcp-session-id')) sessionId = undefined
  return { forward: without(forward, nominated), contentLength, sessionId, challenge }
}

/**
 * The fields that a `Connection` header declares to be for this hop only
 * ([RFC 9110 §7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)); undefined in the usual case of none.
 */
function nominatedFields(connection: string): Set<string> | undefined {
  if (connection === 'keep-alive' || connection === 'close' || connection === 'Keep-Alive') return undefined
  const names = new Set<string>()
  for (const option of connection.toLowerCase().split(',')) {
    const name = option.trim()
    if (name !== '' && name !== 'keep-alive' && name !== 'close') names.add(name)
  }
  return names.size === 0 ? undefined : names
}

function without(fields: string[], nominated: Set<string>): string[] {
  const rest: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const field = fields[i] ?? ''
    if (!nominated.has(field.toLowerCase())) rest.push(field, fields[i + 1] ?? '')
  }
  return rest
}

function latin1(bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : bytes.toString('latin1')
}
