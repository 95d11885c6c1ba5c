import type { CallHeaders } from './headers.ts'
import { eachMember, firstValue, isObject, stringOf } from './json-bytes.ts'

/** Since this revision there are no sessions: a server ignores the header. Revisions are dates, so they compare as text. */
const FIRST_WITHOUT_SESSIONS = '2026-07-28'
const REVISION = /^\d{4}-\d{2}-\d{2}$/
const VERSION_MEMBER = 'io.modelcontextprotocol/protocolVersion'

/**
 * Drops `Mcp-Session-Id` where it has no meaning: when it is empty, on `initialize` (which opens a session), and on requests of revisions
 * without sessions. Clients send the id of an ended session there as well, and a 404 would stop them.
 *
 * @param body JSON that was checked already.
 */
export function withoutUnusedSession(
  headers: CallHeaders,
  rpcMethod: string | undefined,
  body: Buffer | undefined,
): CallHeaders {
  const { sessionId, protocolVersion } = headers
  if (sessionId === undefined) return headers
  const isUsed =
    sessionId !== '' &&
    rpcMethod !== 'initialize' &&
    !isWithoutSessions(protocolVersion) &&
    !isWithoutSessions(body && versionIn(body))
  if (isUsed) return headers
  const forward: string[] = []
  for (let i = 0; i + 1 < headers.forward.length; i += 2) {
    const [name = '', value = ''] = headers.forward.slice(i, i + 2)
    if (name.toLowerCase() !== 'mcp-session-id') forward.push(name, value)
  }
  return { ...headers, sessionId: undefined, forward }
}

function isWithoutSessions(revision: string | undefined): boolean {
  return revision !== undefined && REVISION.test(revision) && revision >= FIRST_WITHOUT_SESSIONS
}

/** The revision that `params._meta` names, as requests do since 2026-07-28. */
function versionIn(body: Buffer): string | undefined {
  if (!body.includes(VERSION_MEMBER)) return undefined
  const params = memberOf(body, firstValue(body), 'params')
  const meta = params && memberOf(body, params.start, '_meta')
  const version = meta && memberOf(body, meta.start, VERSION_MEMBER)
  return version && stringOf(body, version.start, version.end)
}

function memberOf(body: Buffer, at: number, wanted: string): { start: number; end: number } | undefined {
  if (!isObject(body, at)) return undefined
  let found: { start: number; end: number } | undefined
  eachMember(body, at, (name, start, end) => {
    if (name === wanted) found = { start, end }
  })
  return found
}
