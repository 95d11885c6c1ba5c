import { z } from 'zod'
import { BoundedMap } from '../platform/bounded-map.ts'
import { type ClientAccess, principalIdentity } from './access.ts'

/** Information that a client sent about itself. */
export interface ClientInfo {
  /** Empty if the client sent none. */
  readonly name: string
  readonly version: string | undefined
  readonly era: '2025' | '2026'
  /** Support for URL elicitation; undefined if the client sent no capabilities. */
  readonly supportsUrlElicitation: boolean | undefined
}

export interface ClientActivityRecord extends Omit<ClientInfo, 'supportsUrlElicitation'> {
  readonly clientId: string | undefined
  readonly keyId: string | undefined
  readonly userId: string
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

/** Which clients called, and approximately when. @throws {Failure} `store_unavailable`, from each method. */
export interface ClientActivityStore {
  /** Records a call. Without `clientInfo`, updates the most recent client of the same principal. */
  record(access: ClientAccess, clientInfo: ClientInfo | undefined): Promise<void>
  /** Most recent first. */
  list(spaceId: string, userId: string | undefined): Promise<ClientActivityRecord[]>
  /** True if the most recent client of this principal declared support for URL elicitation in `initialize`. */
  supportsUrlElicitation(access: ClientAccess): Promise<boolean>
}

/** Minimum time between two records of one principal; users see times rounded to the minute. */
const RECORD_INTERVAL_MS = 60_000
const MAX_PRINCIPALS = 50_000
/** Larger messages are not parsed for client information. */
const MAX_PARSED_BYTES = 256 * 1024

/** Limit of queued writes; further records are dropped. Writes are sequential, so that the most recent record is written last. */
const MAX_QUEUED_WRITES = 1000

/** Client names of version probes, which programs send before `initialize` with their real name. */
const PROBE_NAMES = new Set(['mcp-remote-fallback-test'])

/** Records client activity in the background, with little overhead for each call. */
export interface ActivityRecorder {
  /**
   * @param method JSON-RPC method of the message.
   * @param body the message as JSON.
   */
  recordCall(access: ClientAccess, method: string | undefined, body: Buffer): void
  /** Resolves when all calls recorded so far have been written, or their writes have failed. */
  flush(): Promise<void>
}

export function activityRecorder(store: ClientActivityStore, onFailure: (error: unknown) => void): ActivityRecorder {
  const recordedAt = new BoundedMap<string, number>(MAX_PRINCIPALS)
  let lastWrite = Promise.resolve()
  let queuedWrites = 0

  return {
    recordCall(access, method, body) {
      const principal = principalIdentity(access)
      const now = performance.now()
      const isInitialize = method === 'initialize'
      if (!isInitialize && now - (recordedAt.get(principal) ?? -Infinity) < RECORD_INTERVAL_MS) return
      recordedAt.set(principal, now)
      const clientInfo = body.length > MAX_PARSED_BYTES ? undefined : readClientInfo(body)
      if (queuedWrites >= MAX_QUEUED_WRITES || PROBE_NAMES.has(clientInfo?.name ?? '')) return
      queuedWrites++
      lastWrite = lastWrite
        .then(() => store.record(access, clientInfo))
        .catch(onFailure)
        .finally(() => queuedWrites--)
    },
    flush: () => lastWrite,
  }
}

const PREFIX = 'io.modelcontextprotocol'
const ClientInfoJson = z.object({ name: z.string(), version: z.string().optional().catch(undefined) })
const Capabilities = z.object({ elicitation: z.object({ url: z.looseObject({}) }) })
const Message = z.object({ method: z.string(), params: z.record(z.string(), z.unknown()) })

/** Reads client information from a message: from `initialize`, or since 2026-07-28 from the `_meta` of each request. */
export function readClientInfo(body: Buffer): ClientInfo | undefined {
  const message = Message.safeParse(parseJson(body))
  if (!message.success) return undefined
  const { method, params } = message.data
  if (method === 'initialize') return toClientInfo('2025', params['clientInfo'], params['capabilities'])
  const meta = readMeta(params)
  return meta && toClientInfo('2026', meta[`${PREFIX}/clientInfo`], meta[`${PREFIX}/clientCapabilities`])
}

function toClientInfo(era: ClientInfo['era'], info: unknown, capabilities: unknown): ClientInfo {
  const { name = '', version } = ClientInfoJson.safeParse(info).data ?? {}
  return {
    name: sanitize(name, 100),
    version: version && sanitize(version, 50),
    era,
    supportsUrlElicitation: Capabilities.safeParse(capabilities).success,
  }
}

/** `_meta` of a request of 2026-07-28; undefined for older revisions. */
function readMeta(params: Record<string, unknown>): Record<string, unknown> | undefined {
  const { success, data } = z.record(z.string(), z.unknown()).safeParse(params['_meta'])
  return success && `${PREFIX}/protocolVersion` in data ? data : undefined
}

/** Client-controlled text: strips control characters and lone surrogates, and truncates. */
function sanitize(text: string, maxLength: number): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, maxLength)
    .replace(/\p{Cs}$/u, '')
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
