/** Puts the gateway together. The only file that knows all the others. */
import type { Server } from 'node:http'
import type { LookupFunction } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { drainOf } from '@nmg/process'
import { answerProbe, PROBE_PATHS } from '@nmg/process/probe'
import { aesVault } from './adapters/crypto/vault.ts'
import { httpUpstream } from './adapters/mcp/upstream.ts'
import { identifyWorkspace } from './adapters/notion/identify-workspace.ts'
import { oauthServer } from './adapters/oauth/authorization-server.ts'
import { postgresAuthorizationRequests } from './adapters/postgres/authorization-requests.ts'
import { postgresChanges } from './adapters/postgres/changes.ts'
import { postgresClaims } from './adapters/postgres/claims.ts'
import { postgresConnectionStore } from './adapters/postgres/connection-store.ts'
import { checkDataKeys, rewrapDataKeys, sweepNeverConnected } from './adapters/postgres/data-keys.ts'
import { migrate, openPool } from './adapters/postgres/database.ts'
import { openDatabaseClock } from './platform/database-clock.ts'
import { checkReadiness, degradedBy, NOTIFICATIONS_ARE_INTERRUPTED, REDIS_IS_AWAY } from './platform/readiness.ts'
import { postgresRegistrationLimit, sweepRegistrationCounts } from './adapters/postgres/registration-limit.ts'
import { credentialMark, markFolder } from './connections/credential-mark.ts'
import { identifyingUrl } from './connections/database-identity.ts'
import { joinReplicas } from './connections/postgres-replicas.ts'
import { sweepExpired } from './connections/retention.ts'
import { keyId, kidOf } from './connections/sealing-key.ts'
import { isUnheld } from './connections/postgres-database-identity.ts'
import { postgresMcpSessions } from './adapters/postgres/mcp-sessions.ts'
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
import { databaseGuard, heldFailure } from './refresh/database-guard.ts'
import { heldServer } from './refresh/held-server.ts'
import type { Claims, Clock } from './ports.ts'

export interface GatewayOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly log: Log
  /** Where this process keeps what must not be in the database; see {@link DataPlaces}. */
  readonly places?: DataPlaces
  /** For tests that move time. */
  readonly clock?: Clock
  /** For tests that bring time to a stop, or processes to an end. See fault-points.ts. */
  readonly faults?: Faults
  /** How the names of authorization servers become addresses; as the system does it when left out. */
  readonly lookup?: LookupFunction
}

/** What a copy of the database is told by, beside the database itself. */
export interface DataPlaces {
  /** A folder for the mark of stored credentials, where there is no Redis; undefined for none. */
  readonly markFolder?: string | undefined
  /** The folder of the embedded database, identified; null for a server of DATABASE_URL. */
  readonly dataFolder: string | null
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
  /** One round of removing what is over, at once. */
  sweep(): Promise<void>
  /** Lets calls in flight finish within the grace, then closes everything. */
  stop(): Promise<void>
}

/** How often the background refresher looks for what is due. */
const KEEP_FRESH_EVERY_MS = 5_000
const SWEEP_EVERY_MS = 3_600_000
/** Two clocks drift apart by less than a millisecond in this time; a clock that is set is noticed soon. */
const READ_CLOCK_EVERY_MS = 5_000
/** With the spread of {@link every} at most 10 s apart; see postgres-replicas.ts. */
const RENEW_REPLICA_EVERY_MS = 8_000
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
  places = { dataFolder: null },
  faults: { times = REFRESH_TIMES, onStep, claims: faultyClaims = (claims: Claims) => claims } = {},
}: GatewayOptions): Promise<Gateway> {
  if (config.serviceTokens.some((token) => token.reveal().length < GUESSABLE_BELOW)) {
    log.warn('service_token.guessable', { advice: 'make GATEWAY_SERVICE_TOKEN longer: openssl rand -hex 32' })
  }
  await migrate(databaseUrl)
  const sql = openPool(databaseUrl, log, config.DATABASE_POOL_SIZE)
  const databaseClock = await openDatabaseClock(sql)
  const clock = givenClock ?? databaseClock.now
  await checkDataKeys(sql, aesVault(config.credentialKeys))
  const [firstKey, ...otherKeys] = config.credentialKeys
  const replicas = await joinReplicas(sql, [keyId(firstKey), ...otherKeys.map(keyId)], log)
  const vault = aesVault(config.credentialKeys, () => kidOf(replicas.sealing()))

  const changes = await postgresChanges(databaseUrl, log)
  const sharedMark = config.REDIS_URL === undefined ? undefined : await openRedisMark(config.REDIS_URL, log)
  const guard = databaseGuard({
    mark: credentialMark(
      sharedMark ?? (places.markFolder === undefined ? undefined : markFolder(places.markFolder)),
      log,
    ),
    process: { publicUrl: identifyingUrl(config.GATEWAY_PUBLIC_URL), dataFolder: places.dataFolder },
    log,
    transaction: sql.transaction,
  })
  const claims = postgresClaims(
    databaseUrl,
    log,
    times,
    {
      ...guard,
      condition: isUnheld,
      assertUnheld() {
        if (guard.hold()) throw heldFailure('refresh_unavailable')
      },
    },
    sql.troubles,
  )
  await claims.ready()
  /** As it is found on a session that was looked at: one that broke may have been to another server. */
  const holdNow = async () => {
    await claims.ready()
    return guard.hold()
  }
  const redis = config.REDIS_URL === undefined ? undefined : await openRedis(config.REDIS_URL, log)
  const requests = redis ?? postgresAuthorizationRequests(sql)
  const store = postgresConnectionStore(sql, guard.counted)
  const registrations = postgresRegistrationLimit(sql)
  const mcpServer = config.NOTION_MCP_SERVER_URL
  const server = heldServer(oauthServer({ ...oauthSettings(config), onRefresh: onStep, lookup }), {
    known: guard.hold,
    current: holdNow,
  })
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
    describeConnection: (spaceId) => describeConnection({ store, vault, clock, connectUrl, hold: guard.hold }, spaceId),
    connectionHistory: (spaceId, before, limit) => connectionHistory(store, spaceId, before, limit),
    settleWorkspace: (spaceId, userId, decision) =>
      settleWorkspace({ clock, random, log, store, vault, server }, spaceId, userId, decision),
    disconnect: (spaceId, userId) => disconnect({ clock, log, store, vault, server }, spaceId, userId),
    async checkReadiness() {
      if (isStopping)
        throw new Failure('overloaded', 'This gateway is stopping. Others serve on.', { retryAfterSeconds: 1 })
      const readiness = await checkReadiness(
        () => sql.query('select 1'),
        [
          async () => ((await redis?.isUp()) === false ? REDIS_IS_AWAY : undefined),
          () => (changes.isLive() ? undefined : NOTIFICATIONS_ARE_INTERRUPTED),
          () => degradedBy(sql.trouble()),
        ],
      )
      const hold = guard.hold()
      return hold === undefined ? readiness : { ...readiness, hold }
    },
  })

  clients.addRoutes(app, authenticate)
  const serviceTokens = config.serviceTokens.map((token) => token.reveal())
  app.get(PROBE_PATHS.gateway, (c) => {
    const probe = { process: 'gateway', serviceTokens, clientAddress: null } as const
    return answerProbe(c.env.incoming, probe) ?? c.notFound()
  })

  const stopping = new AbortController()
  const refreshDue = async () => {
    // The operator may have ended the hold.
    if (await holdNow()) await guard.check(await claims.ready())
    return guard.hold() ? 0 : keepFresh({ clock, log, store, credentials, stopping: stopping.signal })
  }
  const stopKeeping = every(KEEP_FRESH_EVERY_MS, () => Promise.all([endWhatIsOver(), refreshDue()]), log)
  const stopReadingClock = every(READ_CLOCK_EVERY_MS, () => databaseClock.read(), log)
  const sweep = async () => {
    await Promise.all([
      sweepExpired(sql, clock(), config.EVENT_RETENTION_DAYS),
      sweepNeverConnected(sql),
      sweepRegistrationCounts(sql),
      clients.sweep(),
    ])
  }
  const stopSweeping = every(SWEEP_EVERY_MS, sweep, log)
  /** A replica that was promoted later than this one may have sealed with the old key after the first round. */
  const rewrap = async (isFirstRound: boolean): Promise<void> => {
    const kid = kidOf(replicas.sealing())
    if (kid !== firstKey.kid) {
      if (isFirstRound)
        log.info('data_keys.rewrap_waits', { kid: firstKey.kid, advice: 'other replicas lack this key' })
      return
    }
    await rewrapDataKeys(sql, vault, kid, log).then(
      (count) => (isFirstRound || count > 0) && log.info('data_keys.rewrapped', { count, kid }),
      (error: unknown) => log.error('data_keys.not_rewrapped', describeError(error)),
    )
  }
  let rewrapping = rewrap(true)
  const renewReplica = async () => {
    const isPromoted = await replicas.renew()
    await (rewrapping = rewrap(isPromoted))
  }
  const stopRenewing = every(RENEW_REPLICA_EVERY_MS, renewReplica, log)

  const http = createGatewayServer(proxy, app, log, clients.answerBrowser)
  const drain = drainOf(http)
  return {
    server: http,
    keepFresh: refreshDue,
    sweep,
    async stop() {
      isStopping = true
      stopping.abort()
      const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1000
      await Promise.all([
        stopKeeping(),
        stopSweeping(),
        stopReadingClock(),
        stopRenewing(),
        drain(graceMs, proxy.drain(graceMs)),
      ])
      // A pair that was redeemed but not stored would be lost with the process.
      await credentials.settled()
      await rewrapping
      await replicas.leave().catch((error: unknown) => log.warn('replica.not_removed', describeError(error)))
      upstream.close()
      clients.close()
      claims.close()
      sharedMark?.close()
      changes.close()
      await Promise.all([sql.end(), redis?.close()])
    },
  }
}

async function openRedisMark(url: string, log: Log) {
  const { redisMark } = await import('./adapters/redis/credential-mark.ts')
  return redisMark(url, log)
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
