/** Assembles the gateway from its modules. */
import type { Server } from 'node:http'
import type { LookupFunction } from 'node:net'
import { prepareDrain } from '@nmg/process'
import { respondToProbe } from '@nmg/process/probe'
import { openClients } from './clients/open.ts'
import { ACCESS_CHANNEL } from './clients/revocation-notices.ts'
import { type Config, oauthSettings } from './config.ts'
import { CONNECTION_CHANNEL } from './connections/connection-changes.ts'
import { type DataLocations, openDatabaseGuard } from './connections/copies/open.ts'
import { openConnections } from './connections/open.ts'
import { createApp } from './connections/routes.ts'
import { createGatewayServer, logCall, requestIdOf } from './http-server.ts'
import type { Clock } from './platform/clock.ts'
import { Failure } from './platform/failure.ts'
import type { Log } from './platform/log.ts'
import { every } from './platform/every.ts'
import { openPlatform } from './platform/open.ts'
import { checkReadiness, degradedBy, NOTIFICATIONS_INTERRUPTED, REDIS_UNAVAILABLE } from './platform/readiness.ts'
import { serviceAuthenticator } from './platform/service-token.ts'
import { openProxy } from './proxy/open.ts'
import { openRefresh, openRefreshLock, type RefreshFailpoints } from './refresh/open.ts'

export interface GatewayOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly log: Log
  /** Storage outside of the database; see {@link DataLocations}. */
  readonly locations?: DataLocations
  /** Replaces the database's clock in tests. */
  readonly clock?: Clock
  /** Lets tests intervene at the steps of a refresh. */
  readonly failpoints?: RefreshFailpoints
  /** Resolves the names of authorization servers. Default: the system's resolver. */
  readonly lookup?: LookupFunction
}

export interface Gateway {
  readonly server: Server
  /** Runs one round of the background refresh now. @returns the number of connections tried. */
  refreshDue(): Promise<number>
  /** Deletes expired data now. */
  sweep(): Promise<void>
  /** Lets calls in flight finish within the grace period, then closes everything. */
  stop(): Promise<void>
}

const SWEEP_EVERY_MS = 3_600_000

/** Service tokens below this length can be guessed. */
const MIN_TOKEN_LENGTH = 16

/** Opens all modules. The caller starts to listen. @throws {Failure} `store_unavailable`, `sealed_value_unreadable`. */
export async function openGateway({
  config,
  databaseUrl,
  log,
  clock,
  lookup,
  locations = { dataFolder: null },
  failpoints = {},
}: GatewayOptions): Promise<Gateway> {
  if (config.serviceTokens.some((token) => token.reveal().length < MIN_TOKEN_LENGTH)) {
    log.warn('service_token.guessable', { advice: 'make GATEWAY_SERVICE_TOKEN longer: openssl rand -hex 32' })
  }
  const returnBase = config.NOTION_MCP_RETURN_BASE_URL
  const connectUrl = (spaceId: string) => new URL(`/?space=${encodeURIComponent(spaceId)}`, returnBase).href
  const upstreamUrl = config.NOTION_MCP_SERVER_URL
  const outboundProxy = config.proxies(upstreamUrl)

  const platform = await openPlatform({
    databaseUrl,
    poolSize: config.DATABASE_POOL_SIZE,
    channels: [CONNECTION_CHANNEL, ACCESS_CHANNEL],
    log,
    clock,
  })
  const { sql, notifications } = platform
  const guard = await openDatabaseGuard({
    sql,
    log,
    redisUrl: config.REDIS_URL,
    publicUrl: config.GATEWAY_PUBLIC_URL,
    locations,
  })
  const lock = await openRefreshLock(platform, guard, failpoints.times)
  const connections = await openConnections({
    platform,
    guard,
    currentHold: lock.currentHold,
    credentialKeys: config.credentialKeys,
    redisUrl: config.REDIS_URL,
    oauth: { ...oauthSettings(config), lookup },
    outboundProxy,
    returnBase,
    stateTtlSeconds: config.NOTION_MCP_STATE_TTL_SECONDS,
    eventRetentionDays: config.EVENT_RETENTION_DAYS,
    connectUrl,
  })
  const refresh = openRefresh({
    platform,
    connections,
    guard,
    lock,
    refreshMarginMs: config.NOTION_MCP_REFRESH_MARGIN_SECONDS * 1000,
    connectUrl,
    failpoints,
  })
  const clients = openClients({ platform, settings: config, connectUrl })
  const proxy = openProxy({
    platform,
    connections,
    accessTokens: refresh.accessTokens,
    upstreamUrl,
    outboundProxy,
    headTimeoutMs: config.PROXY_HEAD_TIMEOUT_SECONDS * 1000,
    streamMaxAgeMs: config.PROXY_STREAM_MAX_AGE_SECONDS * 1000,
    limits: {
      calls: config.PROXY_MAX_CALLS,
      callsPerSpace: config.PROXY_MAX_CALLS_PER_SPACE,
      streams: config.PROXY_MAX_STREAMS,
      streamsPerSpace: config.PROXY_MAX_STREAMS_PER_SPACE,
    },
    maxBodyBytes: config.PROXY_MAX_BODY_BYTES,
    connectUrl,
    authenticate: clients.authenticate,
    errorResponse: clients.errorResponse,
    requestId: requestIdOf,
    onDone: (record) => logCall(log, record),
  })

  let isStopping = false
  const authenticate = serviceAuthenticator(config.serviceTokens)
  const app = createApp({
    ...connections.flows,
    authenticate,
    returnBase,
    async checkReadiness() {
      if (isStopping)
        throw new Failure('overloaded', 'This gateway is stopping. Send requests to another replica.', {
          retryAfterSeconds: 1,
        })
      const readiness = await checkReadiness(
        () => sql.query('select 1'),
        [
          async () => ((await connections.isRedisUp()) ? undefined : REDIS_UNAVAILABLE),
          () => (notifications.isConnected() ? undefined : NOTIFICATIONS_INTERRUPTED),
          () => degradedBy(sql.fault()),
        ],
      )
      const hold = guard.hold()
      return hold === undefined ? readiness : { ...readiness, hold }
    },
  })
  clients.addRoutes(app, authenticate)

  const sweep = async () => {
    await Promise.all([connections.sweep(), clients.sweep()])
  }
  const stopSweeping = every(SWEEP_EVERY_MS, sweep, log)
  const serviceTokens = config.serviceTokens.map((token) => token.reveal())
  const server = createGatewayServer(proxy, app, log, clients.handleCors, (req, res) =>
    respondToProbe(req, res, { process: 'gateway', serviceTokens, clientAddress: null }),
  )
  const drain = prepareDrain(server)

  return {
    server,
    refreshDue: refresh.refreshDue,
    sweep,
    async stop() {
      isStopping = true
      const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1000
      await Promise.all([refresh.stop(), stopSweeping(), drain(graceMs, proxy.drain(graceMs))])
      await refresh.settled()
      await connections.stop()
      await proxy.close()
      clients.close()
      lock.close()
      guard.close()
      await Promise.all([connections.close(), platform.close()])
    },
  }
}
