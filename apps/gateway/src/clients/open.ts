/** Puts together what the gateway has for people's own MCP clients. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isReadOnlyTool } from '@nmg/contract'
import type { Hono } from 'hono'
import { jwtVerifier } from './jwt-verifier.ts'
import {
  postgresAccessKeys,
  postgresRevocations,
  postgresSeenClients,
  sweepClientAccess,
} from './postgres-client-access.ts'
import type { Sql } from '../platform/database.ts'
import type { Config } from '../config.ts'
import { createAccessKey } from './create-access-key.ts'
import { clientAccesses } from './authenticate.ts'
import { clientNotes } from './activity.ts'
import { addAccessRoutes } from './routes.ts'
import type { App } from '../connections/routes.ts'
import { corsFor, hostCheck } from './cors.ts'
import { type Application, type Caller, type CallerHeaders, mcpCallerCheck } from './authenticate-request.ts'
import { clientDesk } from './policy.ts'
import type { McpTarget } from '../proxy/endpoint.ts'
import { originCheck, originRule } from './origins.ts'
import type { ProxyDependencies } from '../proxy/proxy.ts'
import type { ProxyCaller } from '../proxy/policy.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { AccessNews } from './ports.ts'
import type { Clock } from '../platform/clock.ts'

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
