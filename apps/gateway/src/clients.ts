/** Puts together what the gateway has for people's own MCP clients. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isReadOnlyTool } from '@nmg/contract'
import type { Hono } from 'hono'
import { jwtVerifier } from './adapters/oauth/client-tokens.ts'
import {
  postgresAccessKeys,
  postgresRevocations,
  postgresSeenClients,
  sweepClientAccess,
} from './adapters/postgres/client-access.ts'
import type { Sql } from './adapters/postgres/database.ts'
import type { Config } from './config.ts'
import { createAccessKey } from './flows/access-keys.ts'
import { clientAccesses } from './flows/client-access.ts'
import { clientNotes } from './flows/note-client.ts'
import { addAccessRoutes } from './http/access-routes.ts'
import type { App } from './http/app.ts'
import { corsFor, hostCheck } from './http/browsers.ts'
import { type Application, type Caller, type CallerHeaders, mcpCallerCheck } from './http/callers.ts'
import { clientDesk } from './http/client-desk.ts'
import type { McpTarget } from './http/mcp-target.ts'
import { originCheck, originRule } from './http/origins.ts'
import type { ProxyDependencies } from './http/proxy.ts'
import type { ProxyCaller } from './http/visit.ts'
import { describeError, type Log } from './log.ts'
import type { AccessNews, Clock } from './ports.ts'

export interface ClientsOptions {
  readonly config: Config
  readonly sql: Sql
  readonly news: AccessNews
  readonly clock: Clock
  readonly log: Log
  readonly connectUrl: (spaceId: string) => string
}

export interface Clients extends Required<Pick<ProxyDependencies, 'authenticate' | 'answer'>> {
  /** Whether a browser's question beforehand was answered. */
  readonly answerBrowser: (req: IncomingMessage, res: ServerResponse) => boolean
  addRoutes(app: Hono<App>, authenticate: (headers: CallerHeaders) => Application): void
  sweep(): Promise<void>
  close(): void
}

export function openClients({ config, sql, news, clock, log, connectUrl }: ClientsOptions): Clients {
  const { publicUrl, tokenIssuers } = config
  const keys = postgresAccessKeys(sql)
  const revocations = postgresRevocations(sql)
  const seen = postgresSeenClients(sql)
  const tokens = jwtVerifier({ issuers: tokenIssuers, clock, log, proxies: config.proxies })
  const accesses = clientAccesses({ clock, keys, revocations, tokens, news })
  const desk = clientDesk({
    accesses,
    news,
    notes: clientNotes(seen, (error) => log.warn('clients.not_noted', describeError(error))),
    seen,
    isReadOnlyTool,
    connectUrl,
    publicUrl,
    hasIssuers: tokenIssuers.length > 0,
    limits: {
      requestsPerMinute: config.CLIENT_REQUESTS_PER_MINUTE,
      calls: config.CLIENT_MAX_CALLS,
      streams: config.CLIENT_MAX_STREAMS,
    },
    maxBodyBytes: Math.min(config.CLIENT_MAX_BODY_BYTES, config.PROXY_MAX_BODY_BYTES),
    log,
  })

  const checkHost = hostCheck(config.HOST, config.MCP_ALLOWED_HOSTS, [publicUrl, new URL(config.redirectUri)])
  const mayCall = originRule(config.MCP_ALLOWED_ORIGINS)
  const checkOrigin = originCheck(mayCall)
  const identify = mcpCallerCheck({ serviceTokens: config.serviceTokens, accesses, publicUrl, checkOrigin })
  const received = (caller: Caller): ProxyCaller =>
    caller.kind === 'application' ? caller : { userId: caller.access.userId, visit: desk.receive(caller.access) }

  return {
    authenticate(req: IncomingMessage, target: McpTarget) {
      checkHost(req)
      const caller = identify(req, target)
      return caller instanceof Promise ? caller.then(received) : received(caller)
    },
    answer: (failure, refused) => desk.answer(failure, refused),
    answerBrowser: corsFor(mayCall),
    addRoutes(app, authenticate) {
      addAccessRoutes(app, {
        authenticate,
        createKey: (userId, key) => createAccessKey({ clock, keys }, userId, key),
        keys,
        revocations,
        seen,
        publicUrl,
        issuers: tokenIssuers.map(({ issuer }) => issuer),
      })
    },
    sweep: () => sweepClientAccess(sql),
    close: () => desk.close(),
  }
}
