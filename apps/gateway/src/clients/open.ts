/** Composes the gateway's parts for users' MCP clients. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isReadOnlyTool } from '@nmg/contract'
import type { Hono } from 'hono'
import { jwtVerifier } from './jwt-verifier.ts'
import {
  postgresAccessKeys,
  postgresRevocations,
  postgresClientActivity,
  sweepClientAccess,
} from './postgres-client-access.ts'
import type { Platform } from '../platform/open.ts'
import type { ClientSettings } from './settings.ts'
import { createAccessKey } from './create-access-key.ts'
import { authenticator } from './authenticate.ts'
import { activityRecorder } from './activity.ts'
import { addAccessRoutes } from './routes.ts'
import type { App } from '../platform/router.ts'
import { corsHandler, hostCheck } from './cors.ts'
import { type Caller, requestAuthenticator } from './authenticate-request.ts'
import { type ServicePrincipal, type CallerHeaders } from '../platform/service-token.ts'
import { clientPolicy } from './policy.ts'
import type { McpTarget } from '../proxy/endpoint.ts'
import { originCheck, originRule } from './origins.ts'
import type { ProxyDependencies } from '../proxy/proxy.ts'
import type { ProxyCaller } from '../proxy/policy.ts'
import { describeError } from '../platform/log.ts'
import { revocationNotices } from './revocation-notices.ts'

export interface ClientsOptions {
  readonly platform: Platform
  readonly settings: ClientSettings
  readonly connectUrl: (spaceId: string) => string
}

export interface Clients extends Required<Pick<ProxyDependencies, 'authenticate' | 'errorResponse'>> {
  /** Sets CORS headers. Returns true if the request was a preflight request, to which the response has been sent. */
  readonly handleCors: (req: IncomingMessage, res: ServerResponse) => boolean
  addRoutes(app: Hono<App>, authenticate: (headers: CallerHeaders) => ServicePrincipal): void
  sweep(): Promise<void>
  close(): void
}

export function openClients({ platform, settings, connectUrl }: ClientsOptions): Clients {
  const { sql, clock, log } = platform
  const notices = revocationNotices(platform.notifications)
  const { publicUrl, tokenIssuers } = settings
  const keys = postgresAccessKeys(sql)
  const revocations = postgresRevocations(sql)
  const activity = postgresClientActivity(sql)
  const tokens = jwtVerifier({ issuers: tokenIssuers, clock, log, proxies: settings.proxies })
  const clientAuthenticator = authenticator({ clock, keys, revocations, tokens, notices })
  const policies = clientPolicy({
    authenticator: clientAuthenticator,
    notices,
    activityRecorder: activityRecorder(activity, (error) =>
      log.warn('clients.activity_not_recorded', describeError(error)),
    ),
    activity,
    isReadOnlyTool,
    connectUrl,
    publicUrl,
    hasIssuers: tokenIssuers.length > 0,
    limits: {
      requestsPerMinute: settings.CLIENT_REQUESTS_PER_MINUTE,
      calls: settings.CLIENT_MAX_CALLS,
      streams: settings.CLIENT_MAX_STREAMS,
    },
    maxBodyBytes: Math.min(settings.CLIENT_MAX_BODY_BYTES, settings.PROXY_MAX_BODY_BYTES),
    log,
  })

  const checkHost = hostCheck(settings.HOST, settings.MCP_ALLOWED_HOSTS, [publicUrl, new URL(settings.redirectUri)])
  const isAllowedOrigin = originRule(settings.MCP_ALLOWED_ORIGINS)
  const checkOrigin = originCheck(isAllowedOrigin)
  const authenticateRequest = requestAuthenticator({
    serviceTokens: settings.serviceTokens,
    clientAuthenticator,
    publicUrl,
    checkOrigin,
  })
  const toProxyCaller = (caller: Caller): ProxyCaller =>
    caller.kind === 'application' ? caller : { userId: caller.access.userId, policy: policies.policyFor(caller.access) }

  return {
    authenticate(req: IncomingMessage, target: McpTarget) {
      checkHost(req)
      const caller = authenticateRequest(req, target)
      return caller instanceof Promise ? caller.then(toProxyCaller) : toProxyCaller(caller)
    },
    errorResponse: (failure, failed) => policies.errorResponse(failure, failed),
    handleCors: corsHandler(isAllowedOrigin),
    addRoutes(app, authenticate) {
      addAccessRoutes(app, {
        authenticate,
        createKey: (userId, key) => createAccessKey({ clock, keys }, userId, key),
        keys,
        revocations,
        activity,
        publicUrl,
        issuers: tokenIssuers.map(({ issuer }) => issuer),
      })
    },
    sweep: () => sweepClientAccess(sql),
    close: () => policies.close(),
  }
}
