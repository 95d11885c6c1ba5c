import { z } from 'zod'
import { type ClientAccess, principalName } from './access.ts'
import type { ClientInfo, ClientActivity } from './ports.ts'

/** A call within that time of the last note is not noted again: what people see is to the minute. */
const EVERY_MS = 60_000
const REMEMBERED = 50_000
/** Where a client says its name is not worth reading a large message for. */
const MAX_READ_BYTES = 256 * 1024

/** Notes that may wait to be written. They are written one after another, so that the last one stands last; more are left out. */
const MOST_WAITING = 1000

/** Names under which programs only try what the server speaks, before they say who they are. */
const PROBES = new Set(['mcp-remote-fallback-test'])

/** Keeps the list of clients that people see up to date, and costs a call next to nothing. */
export interface ActivityRecorder {
  /** @param method of the message, @param body its bytes, which are JSON. */
  called(access: ClientAccess, method: string | undefined, body: Buffer): void
  /** Resolves when all activity recorded so far is stored, or could not be. */
  stored(): Promise<void>
}

export function activityRecorder(store: ClientActivity, onFailure: (error: unknown) => void): ActivityRecorder {
  const notedAt = new Map<string, number>()
  let writing = Promise.resolve()
  let waiting = 0

  return {
    called(access, method, body) {
      const principal = principalName(access)
      const now = performance.now()
      const isIntroduction = method === 'initialize'
      if (!isIntroduction && now - (notedAt.get(principal) ?? -Infinity) < EVERY_MS) return
      notedAt.delete(principal)
      notedAt.set(principal, now)
      if (notedAt.size > REMEMBERED) notedAt.delete(notedAt.keys().next().value as string)
      const clientInfo = body.length > MAX_READ_BYTES ? undefined : clientInfoIn(body)
      if (waiting >= MOST_WAITING || PROBES.has(clientInfo?.name ?? '')) return
      waiting++
      writing = writing
        .then(() => store.note(access, clientInfo))
        .catch(onFailure)
        .finally(() => waiting--)
    },
    stored: () => writing,
  }
}

const PREFIX = 'io.modelcontextprotocol'
const ClientInfoJson = z.object({ name: z.string(), version: z.string().optional().catch(undefined) })
const Capabilities = z.object({ elicitation: z.object({ url: z.looseObject({}) }) })
const Message = z.object({ method: z.string(), params: z.record(z.string(), z.unknown()) })

/** What the message says of the client that sent it: with `initialize`, or since 2026-07-28 with every request. */
export function clientInfoIn(body: Buffer): ClientInfo | undefined {
  const message = Message.safeParse(parsed(body))
  if (!message.success) return undefined
  const { method, params } = message.data
  if (method === 'initialize') return clientInfo('2025', params['clientInfo'], params['capabilities'])
  const meta = metaOf(params)
  return meta && clientInfo('2026', meta[`${PREFIX}/clientInfo`], meta[`${PREFIX}/clientCapabilities`])
}

function clientInfo(era: ClientInfo['era'], info: unknown, capabilities: unknown): ClientInfo {
  const { name = '', version } = ClientInfoJson.safeParse(info).data ?? {}
  return {
    name: legible(name, 100),
    version: version && legible(version, 50),
    era,
    takesUrls: Capabilities.safeParse(capabilities).success,
  }
}

/** What a request of 2026-07-28 says of itself; undefined for one of an older revision. */
function metaOf(params: Record<string, unknown>): Record<string, unknown> | undefined {
  const { success, data } = z.record(z.string(), z.unknown()).safeParse(params['_meta'])
  return success && `${PREFIX}/protocolVersion` in data ? data : undefined
}

/** Whoever calls chooses the text: no control characters and no half ones, and not for ever. */
function legible(text: string, longest: number): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, longest)
    .replace(/\p{Cs}$/u, '')
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
