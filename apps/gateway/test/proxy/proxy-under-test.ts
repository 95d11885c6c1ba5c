import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { prepareDrain } from '@nmg/process'
import { httpUpstream, type UpstreamSettings } from '../../src/proxy/http-upstream.ts'
import { Failure } from '../../src/platform/failure.ts'
import { originCheck, originRule } from '../../src/clients/origins.ts'
import type { ExchangeRecord } from '../../src/proxy/exchange.ts'
import { mcpProxy } from '../../src/proxy/proxy.ts'
import { type AdmissionLimits, DEFAULT_LIMITS } from '../../src/proxy/admission.ts'
import type { Access, AccessTokens } from '../../src/refresh/ports.ts'
import type { McpSessions, SessionOwner } from '../../src/proxy/mcp-sessions.ts'
import { Secret } from '../../src/platform/secret.ts'

/** Access tokens kept in memory, which can be renewed, and can be made to wait or to fail. */
export interface TokensInMemory extends AccessTokens {
  /** The tokens that upstream refused, in order. */
  readonly refused: string[]
  /** What `current` answers from now on. */
  gives(answer: () => Access | Promise<Access>): void
  /** What `after` answers from now on. */
  givesAfterwards(answer: () => Promise<Access>): void
}

export function tokensInMemory(): TokensInMemory {
  const refused: string[] = []
  let now = (): Access | Promise<Access> => ({ token: new Secret('token-1'), version: 1 })
  let later = (): Promise<Access> => Promise.resolve({ token: new Secret('token-2'), version: 2 })
  return {
    refused,
    current: () => now(),
    refreshAfter401: async (_, access) => {
      refused.push(access.token.reveal())
      if (access.isFresh) throw new Failure('upstream_refuses_token', 'refused', { retryAfterSeconds: 60 })
      return { ...(await later()), isFresh: true }
    },
    reportAccepted: async () => {},
    gives(answer) {
      now = answer
    },
    givesAfterwards(answer) {
      later = answer
    },
  }
}

export interface SessionsInMemory extends McpSessions {
  readonly owners: Map<string, SessionOwner>
  /** What happens, from now on, before a session is on record. */
  before(step: () => Promise<void>): void
}

export function sessionsInMemory(): SessionsInMemory {
  const owners = new Map<string, SessionOwner>()
  let step = (): Promise<void> => Promise.resolve()
  return {
    owners,
    async remember(sessionId, owner) {
      await step()
      owners.set(sessionId, owner)
    },
    owner: (sessionId) => owners.get(sessionId),
    async forget(sessionId) {
      owners.delete(sessionId)
    },
    before(next) {
      step = next
    },
  }
}

export interface ProxyUnderTest {
  readonly port: number
  readonly url: string
  readonly tokens: TokensInMemory
  readonly sessions: SessionsInMemory
  /** One for each request that is over. */
  readonly records: ExchangeRecord[]
  /** Resolves when this many requests are over. */
  done(count: number): Promise<ExchangeRecord[]>
  /** Ends everything that is under way for this space. */
  end(spaceId: string, failure: Failure): void
  /** Ends it as SIGTERM does. */
  drain(graceMs: number): Promise<void>
  close(): Promise<void>
}

/** Knows one service token, as the gateway does; the person is whom the application names. */
function authenticate(req: IncomingMessage): { userId: string | undefined } {
  if (req.headers.authorization !== 'Bearer service-token')
    throw new Failure('unauthenticated', 'Send the service token.')
  const { 'x-user-id': userId } = req.headers
  return { userId: typeof userId === 'string' ? userId : undefined }
}

export type ProxySettings = Partial<UpstreamSettings> & {
  maxBodyBytes?: number
  limits?: Partial<AdmissionLimits>
  /** Header fields that an application in front of the gateway adds to each request. */
  front?: Readonly<Record<string, string>>
  /** Shared by replicas. */
  sessions?: SessionsInMemory
}

/** The proxy on a port of its own, between whoever calls and `upstream`. */
export async function proxyUnderTest(
  upstream: URL,
  {
    maxBodyBytes = 4 * 1024 * 1024,
    limits = {},
    front = {},
    sessions = sessionsInMemory(),
    ...upstreamSettings
  }: ProxySettings = {},
): Promise<ProxyUnderTest> {
  const tokens = tokensInMemory()
  const records: ExchangeRecord[] = []
  const waiting = new Set<() => void>()
  const checkOrigin = originCheck(originRule([new URL('https://app.test')]))
  const connection = httpUpstream({
    url: upstream,
    userAgent: 'notion-mcp-gateway/test',
    connectTimeoutMs: 5000,
    headTimeoutMs: 20_000,
    maxAgeMs: 600_000,
    ...upstreamSettings,
  })
  const proxy = mcpProxy({
    accessTokens: tokens,
    sessions,
    upstream: connection,
    connectUrl: (spaceId) => `http://app.test/connect/${spaceId}`,
    authenticate(req) {
      checkOrigin(req)
      return authenticate(req)
    },
    maxBodyBytes,
    limits: { ...DEFAULT_LIMITS, ...limits },
    onDone(record) {
      records.push(record)
      for (const wake of waiting) wake()
    },
  })
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    for (const [name, value] of Object.entries(front)) {
      req.headers[name] = value
      req.rawHeaders.push(name, value)
    }
    proxy.handle(req, res)
  })
  const drain = prepareDrain(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    port,
    url: `http://127.0.0.1:${port}/mcp/notion/proxy`,
    tokens,
    sessions,
    records,
    async done(count) {
      while (records.length < count) {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
      return records
    },
    end: (spaceId, failure) => proxy.end(spaceId, failure),
    drain: (graceMs) => drain(graceMs, proxy.drain(graceMs)),
    async close() {
      connection.close()
      server.closeAllConnections()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}
