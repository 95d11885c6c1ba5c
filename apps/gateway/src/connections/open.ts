/** Assembles the connections module: the store, the vault, and the flows that change connections. */
import type { Hold } from '@nmg/contract'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutboundProxy } from '@nmg/outbound'
import type { Platform } from '../platform/open.ts'
import type { AuthorizationServer, IdentifyWorkspace } from './authorization-server.ts'
import { confirmWorkspaceChange } from './confirm-workspace.ts'
import { type ConnectionChanges, connectionChanges } from './connection-changes.ts'
import type { ConnectionStore } from './connection-store.ts'
import type { DatabaseGuard } from './copies/database-guard.ts'
import { guardAuthorizationServer } from './copies/guard-authorization-server.ts'
import { connectionHistory, describeConnection } from './describe-connection.ts'
import { disconnect } from './disconnect.ts'
import { finishAuthorization } from './finish-authorization.ts'
import { identifyWorkspace } from './identify-workspace.ts'
import type { CredentialKey } from './keys/aes-vault.ts'
import { deleteUnusedDataKeys } from './keys/data-keys.ts'
import { openVault } from './keys/open.ts'
import { type AuthorizationServerSettings, oauthServer } from './oauth/authorization-server.ts'
import { postgresAuthorizationRequests } from './postgres-authorization-requests.ts'
import { postgresConnectionStore } from './postgres-connection-store.ts'
import { postgresRegistrationLimit, sweepRegistrationCounts } from './postgres-registration-limit.ts'
import { type RequestStepUp, requestStepUp } from './step-up.ts'
import { sweepExpired } from './retention.ts'
import type { AppDependencies } from './routes.ts'
import { startAuthorization } from './start-authorization.ts'
import type { Vault } from './vault.ts'

export interface ConnectionsOptions {
  readonly platform: Platform
  readonly guard: DatabaseGuard
  /** The hold as checked on the current session. @throws {Failure} `store_unavailable`. */
  readonly currentHold: () => Promise<Hold | undefined>
  readonly credentialKeys: readonly [CredentialKey, ...CredentialKey[]]
  /** Redis for pending authorization requests. Default: the database. */
  readonly redisUrl: string | undefined
  readonly oauth: AuthorizationServerSettings
  readonly outboundProxy: OutboundProxy | undefined
  readonly returnBase: URL
  readonly stateTtlSeconds: number
  readonly eventRetentionDays: number
  /** URL of the page on which users connect the space. */
  readonly connectUrl: (spaceId: string) => string
}

export interface Connections {
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly changes: ConnectionChanges
  /** Sends no token while the database is held. */
  readonly server: AuthorizationServer
  readonly identify: IdentifyWorkspace
  /** Omitted if the settings fix the scope. */
  readonly requestStepUp?: RequestStepUp
  readonly flows: Omit<AppDependencies, 'authenticate' | 'checkReadiness' | 'returnBase'>
  /** False when Redis is used and does not respond. */
  isRedisUp(): Promise<boolean>
  /** Deletes expired data. */
  sweep(): Promise<void>
  /** Stops the background work on keys; the store still works. */
  stop(): Promise<void>
  close(): Promise<void>
}

/** @throws {Failure} `sealed_value_unreadable`, `store_unavailable`. */
export async function openConnections(options: ConnectionsOptions): Promise<Connections> {
  const { platform, guard, currentHold, oauth, returnBase, connectUrl } = options
  const { sql, clock, log } = platform
  const vault = await openVault(sql, options.credentialKeys, log)
  const changes = connectionChanges(platform.notifications)
  const store = postgresConnectionStore(sql, guard.recordCount)
  const redis = options.redisUrl === undefined ? undefined : await openRedis(options.redisUrl, platform)
  const requests = redis ?? postgresAuthorizationRequests(sql)
  const registrations = postgresRegistrationLimit(sql)
  const server = guardAuthorizationServer(oauthServer(oauth), { known: guard.hold, current: currentHold })
  const identify = identifyWorkspace(oauth.mcpServer, log, options.outboundProxy)
  const { stateTtlSeconds } = options
  const deps = { clock, random: Math.random, pause: sleep, log, store, vault, server, identify, requests }

  return {
    store,
    vault,
    changes,
    server,
    identify,
    ...(server.fixedScope === undefined && { requestStepUp: requestStepUp({ log, store }) }),
    flows: {
      startAuthorization: (start) => startAuthorization({ ...deps, registrations, stateTtlSeconds }, start),
      finishAuthorization: (response, binding) => finishAuthorization({ ...deps, returnBase }, response, binding),
      describeConnection: (spaceId) => describeConnection({ ...deps, connectUrl, hold: guard.hold }, spaceId),
      connectionHistory: (spaceId, before, limit) => connectionHistory(store, spaceId, before, limit),
      confirmWorkspaceChange: (spaceId, userId, decision) => confirmWorkspaceChange(deps, spaceId, userId, decision),
      disconnect: (spaceId, userId) => disconnect({ ...deps, changes }, spaceId, userId),
    },
    isRedisUp: async () => (await redis?.isUp()) ?? true,
    async sweep() {
      await Promise.all([
        sweepExpired(sql, clock(), options.eventRetentionDays),
        deleteUnusedDataKeys(sql),
        sweepRegistrationCounts(sql),
      ])
    },
    stop: () => vault.close(),
    close: async () => redis?.close(),
  }
}

/** Loads the driver on demand. */
async function openRedis(url: string, { log }: Platform) {
  const { redisAuthorizationRequests } = await import('./redis-authorization-requests.ts')
  return redisAuthorizationRequests(url, log)
}
