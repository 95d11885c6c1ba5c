/** Puts the gateway together. The only file that knows all the others. */
import type { Server } from 'node:http'
import type { LookupFunction } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { drainOf } from '@nmg/process'
import { aesVault } from './adapters/crypto/vault.ts'
import { httpUpstream } from './adapters/mcp/upstream.ts'
import { identifyWorkspace } from './adapters/notion/identify-workspace.ts'
import { oauthServer } from './adapters/oauth/authorization-server.ts'
import {
  postgresAuthorizationRequests,
  sweepAuthorizationRequests,
} from './adapters/postgres/authorization-requests.ts'
import { postgresChanges } from './adapters/postgres/changes.ts'
import { postgresClaims } from './adapters/postgres/claims.ts'
import { postgresConnectionStore } from './adapters/postgres/connection-store.ts'
import { checkDataKeys, rewrapDataKeys, sweepNeverConnected } from './adapters/postgres/data-keys.ts'
import { migrate, openPool } from './adapters/postgres/database.ts'
import { openDatabaseClock } from './platform/database-clock.ts'
import { checkReadiness, degradedBy, NOTIFICATIONS_ARE_INTERRUPTED, REDIS_IS_AWAY } from './platform/readiness.ts'
import { postgresRegistrationLimit, sweepRegistrationCounts } from './adapters/postgres/registration-limit.ts'
import { postgresMcpSessions, sweepMcpSessions } from './adapters/postgres/mcp-sessions.ts'
import { openClients } from './clients.ts'
import { oauthSettings, type Config } from './config.ts'
import { REFRESH_TIMES, type RefreshTimes } from './domain/refresh-schedule.ts'
import { connectionHistory, describeConnection } from './flows/describe-connection.ts'
import { disconnect } from './flows/disconnect.ts'
import { finishAuthorization } from './flows/finish-authorization.ts'
import { freshCredentials } from './flows/fresh-credential.ts'
import { keepFresh } from './flows/keep-fresh.ts'
import type { RefreshStep } from './flows/refresh.ts'
import { settleWorkspace } from './flows/settle-workspace.ts'
import { startAuthorization } from './flows/start-authorization.ts'
import { wantScope } from './flows/want-scope.ts'
import { Failure } from './failure.ts'
import { createApp } from './http/app.ts'
import { callerCheck } from './http/callers.ts'
import { DEFAULT_LIMITS } from './http/proxy-admission.ts'
import { mcpProxy } from './http/proxy.ts'
import { createGatewayServer, logCall, requestIdOf } from './http/server.ts'
import { describeError, type Log } from './log.ts'
import type { Claims, Clock } from './ports.ts'

export interface GatewayOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly log: Log
  /** For tests that move time. */
  readonly clock?: Clock
  /** For tests that bring time to a stop, or processes to an end. See fault-points.ts. */
  readonly faults?: Faults
  /** How the names of authorization servers become addresses; as the system does it when left out. */
  readonly lookup?: LookupFunction
}

/** What a test may change of the refresh of credentials. */
export interface Faults {
  readonly times?: RefreshTimes
  readonly onStep?: (step: RefreshStep | 'connected' | 'sent') => void
  readonly claims?: (claims: Claims) => Claims
}

export interface Gateway {
  readonly server: Server
  /** One round of the background refresher, at once. */
  keepFresh(): Promise<number>
  /** Lets calls in flight finish within the grace, then closes everything. */
  stop(): Promise<void>
}

/** How often the background refresher looks for what is due. */
const KEEP_FRESH_EVERY_MS = 5_000
const SWEEP_EVERY_MS = 3_600_000
/** Two clocks drift apart by less than a millisecond in this time; a clock that is set is noticed soon. */
const READ_CLOCK_EVERY_MS = 5_000
const CONNECT_TIMEOUT_MS = 5_000

/** Service tokens shorter than this can be guessed. */
const GUESSABLE_BELOW = 16

/** @throws {Failure} `store_unavailable`, `sealed_value_unreadable`. */
export async function openGateway({
  config,
  databaseUrl,
  log,
  clock: givenClock,
  lookup,
  faults: { times = REFRESH_TIMES, onStep, claims: faultyClaims = (claims: Claims) => claims } = {},
}: GatewayOptions): Promise<Gateway> {
  if (config.serviceTokens.some((token) => token.reveal().length < GUESSABLE_BELOW)) {
    log.warn('service_token.guessable', { advice: 'make GATEWAY_SERVICE_TOKEN longer: openssl rand -hex 32' })
  }
  await migrate(databaseUrl)
  const sql = openPool(databaseUrl, log, config.DATABASE_POOL_SIZE)
  const databaseClock = await openDatabaseClock(sql)
  const clock = givenClock ?? databaseClock.now
  const vault = aesVault(config.credentialKeys)
  await checkDataKeys(sql, vault)

  const changes = await postgresChanges(databaseUrl, log)
  const claims = postgresClaims(databaseUrl, log, times)
  const redis = config.REDIS_URL === undefined ? undefined : await openRedis(config.REDIS_URL, log)
  const requests = redis ?? postgresAuthorizationRequests(sql)
  const store = postgresConnectionStore(sql)
  const registrations = postgresRegistrationLimit(sql)
  const mcpServer = config.NOTION_MCP_SERVER_URL
  const server = oauthServer({ ...oauthSettings(config), onRefresh: onStep, lookup })
  const outboundProxy = config.proxies(mcpServer)
  const identify = identifyWorkspace(mcpServer, log, outboundProxy)
  const random = Math.random
  const returnBase = config.NOTION_MCP_RETURN_BASE_URL
  const connectUrl = (spaceId: string) => new URL(`/?space=${encodeURIComponent(spaceId)}`, returnBase).href

  const credentials = freshCredentials({
    clock,
    random,
    pause: sleep,
    log,
    store,
    vault,
    server,
    claims: faultyClaims(claims),
    changes,
    identify,
    refreshMarginMs: config.NOTION_MCP_REFRESH_MARGIN_SECONDS * 1000,
    times,
    connectUrl,
    onStep,
  })
  const upstream = httpUpstream({
    url: mcpServer,
    userAgent: 'notion-mcp-gateway/0.1.0',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    proxy: outboundProxy,
    headTimeoutMs: config.PROXY_HEAD_TIMEOUT_SECONDS * 1000,
    maxAgeMs: config.PROXY_STREAM_MAX_AGE_SECONDS * 1000,
  })
  let isStopping = false
  const authenticate = callerCheck(config.serviceTokens)
  const clients = openClients({ config, sql, news: changes, clock, log, connectUrl })
  const proxy = mcpProxy({
    accessTokens: credentials,
    sessions: postgresMcpSessions(sql),
    upstream,
    ...(server.fixedScope === undefined && { wantScope: wantScope({ log, store }) }),
    connectUrl,
    authenticate: clients.authenticate,
    answer: clients.answer,
    maxBodyBytes: config.PROXY_MAX_BODY_BYTES,
    limits: {
      ...DEFAULT_LIMITS,
      calls: config.PROXY_MAX_CALLS,
      callsPerSpace: config.PROXY_MAX_CALLS_PER_SPACE,
      streams: config.PROXY_MAX_STREAMS,
      streamsPerSpace: config.PROXY_MAX_STREAMS_PER_SPACE,
      bodyBytesEach: Math.max(DEFAULT_LIMITS.bodyBytesEach, config.PROXY_MAX_BODY_BYTES),
    },
    requestId: requestIdOf,
    onDone: (record) => logCall(log, record),
  })
  // What is open does not outlive a disconnect, on whichever replica that was said.
  const endSpace = (spaceId: string) => {
    const link = connectUrl(spaceId)
    proxy.end(spaceId, new Failure('not_connected', `No Notion integration connected any more for this space: ${link}`))
  }
  let isNewsMissed = false
  changes.onChange((spaceId, _version, hasEnded) => hasEnded && endSpace(spaceId))
  changes.onInterruption(() => (isNewsMissed = true))
  const endWhatIsOver = async () => {
    if (!isNewsMissed || !changes.isLive()) return
    isNewsMissed = false
    for (const spaceId of proxy.spaces()) {
      if ((await store.read(spaceId)).connection.status === 'disconnected') endSpace(spaceId)
    }
  }
  const app = createApp({
    authenticate,
    returnBase,
    startAuthorization: (start) =>
      startAuthorization(
        {
          log,
          store,
          vault,
          server,
          requests,
          registrations,
          stateTtlSeconds: config.NOTION_MCP_STATE_TTL_SECONDS,
        },
        start,
      ),
    finishAuthorization: (response, binding) =>
      finishAuthorization(
        { clock, random, pause: sleep, log, store, vault, server, requests, identify, returnBase },
        response,
        binding,
      ),
    describeConnection: (spaceId) => describeConnection({ store, vault, clock, connectUrl }, spaceId),
    connectionHistory: (spaceId, before, limit) => connectionHistory(store, spaceId, before, limit),
    settleWorkspace: (spaceId, userId, decision) =>
      settleWorkspace({ clock, random, log, store, vault, server }, spaceId, userId, decision),
    disconnect: (spaceId, userId) => disconnect({ clock, log, store, vault, server }, spaceId, userId),
    async checkReadiness() {
      if (isStopping)
        throw new Failure('overloaded', 'This gateway is stopping. Others serve on.', { retryAfterSeconds: 1 })
      return checkReadiness(
        () => sql.query('select 1'),
        [
          async () => ((await redis?.isUp()) === false ? REDIS_IS_AWAY : undefined),
          () => (changes.isLive() ? undefined : NOTIFICATIONS_ARE_INTERRUPTED),
          () => degradedBy(sql.trouble()),
        ],
      )
    },
  })

  clients.addRoutes(app, authenticate)

  const stopping = new AbortController()
  const refreshDue = () => keepFresh({ clock, log, store, credentials, stopping: stopping.signal })
  const stopKeeping = every(KEEP_FRESH_EVERY_MS, () => Promise.all([endWhatIsOver(), refreshDue()]), log)
  const stopReadingClock = every(READ_CLOCK_EVERY_MS, () => databaseClock.read(), log)
  const stopSweeping = every(
    SWEEP_EVERY_MS,
    () =>
      Promise.all([
        sweepMcpSessions(sql),
        sweepNeverConnected(sql),
        sweepRegistrationCounts(sql),
        sweepAuthorizationRequests(sql),
        clients.sweep(),
      ]),
    log,
  )
  const rewrapping = rewrapDataKeys(sql, vault, config.credentialKeys[0].kid, log).then(
    (count) => count > 0 && log.info('data_keys.rewrapped', { count, kid: config.credentialKeys[0].kid }),
    (error: unknown) => log.error('data_keys.not_rewrapped', describeError(error)),
  )

  const http = createGatewayServer(proxy, app, log, clients.answerBrowser)
  const drain = drainOf(http)
  return {
    server: http,
    keepFresh: refreshDue,
    async stop() {
      isStopping = true
      stopping.abort()
      const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1000
      await Promise.all([stopKeeping(), stopSweeping(), stopReadingClock(), drain(graceMs, proxy.drain(graceMs))])
      // A pair that was redeemed but not stored would be lost with the process.
      await credentials.settled()
      await rewrapping
      upstream.close()
      clients.close()
      claims.close()
      changes.close()
      await Promise.all([sql.end(), redis?.close()])
    },
  }
}

/** Its driver is loaded only where it is used. */
async function openRedis(url: string, log: Log) {
  const { redisAuthorizationRequests } = await import('./adapters/redis/authorization-requests.ts')
  return redisAuthorizationRequests(url, log)
}

/** Runs `work` every `ms`, never twice at once. The answer stops it and resolves when the last round has ended. */
function every(ms: number, work: () => Promise<unknown>, log: Log): () => Promise<void> {
  const stop = new AbortController()
  const running = (async () => {
    while (!stop.signal.aborted) {
      await sleep(ms * (0.75 + Math.random() / 2), undefined, { signal: stop.signal, ref: false }).catch(
        () => undefined,
      )
      if (stop.signal.aborted) return
      await work().catch((error: unknown) => log.warn('background.failed', describeError(error)))
    }
  })()
  return async () => {
    stop.abort()
    await running
  }
}
