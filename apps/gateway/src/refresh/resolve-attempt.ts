import { attemptsOf, degradedAgain, missingTokenPauseMs, type Degraded } from '../connections/degraded.ts'
import { clientInUse, isSameClient } from '../connections/revoke-consent.ts'
import { evolve, classifyRefusal, type ConnectionEvent, type Grant } from '../connections/connection.ts'
import { IDLE_AFTER_MS, refreshDueAt } from '../connections/refresh-schedule.ts'
import { describeError } from '../platform/log.ts'
import type { RefreshLock } from './refresh-lock.ts'
import type { Credential, RenewableCredential } from '../connections/credential.ts'
import type { StoredConnection } from '../connections/connection-store.ts'
import type { Tokens } from '../connections/authorization-server.ts'
import { requireConnected, dataKeyOf, expiryOf, isTransient } from '../connections/open-credential.ts'
import type { RefreshDependencies } from './ports.ts'

/** The tokens of a successful refresh. */
export interface RefreshResult {
  /** The grant as used, possibly with other endpoints than the stored one. */
  readonly grant: Grant
  readonly previous: RenewableCredential
  readonly tokens: Tokens
  readonly sentAt: Date
  readonly isForCall: boolean
}

/** Stores the new tokens, after which they may be used. Retries until the database accepts them, since the old refresh token is spent. */
export async function storeTokens(
  deps: RefreshDependencies,
  lock: RefreshLock,
  stored: StoredConnection,
  { grant, previous, tokens, sentAt, isForCall }: RefreshResult,
): Promise<StoredConnection> {
  const { log, vault, random } = deps
  const { spaceId, stream, version } = stored
  const before = requireConnected(deps, stored).grant
  const credential = {
    ...previous,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken ?? previous.refreshToken,
  }
  const generation = version + 1
  const dataKey = dataKeyOf(stored)
  const sealed = vault.seal(dataKey, { stream, generation, grant }, credential)
  const expiresAt = expiryOf(sentAt, tokens)
  const event: ConnectionEvent = {
    type: 'NotionIntegrationTokenRefreshed',
    at: sentAt,
    credential: { sealed, keyId: dataKey.id, generation, expiresAt, isRenewable: true },
    ...(!haveSameEndpoints(grant, before) && { grant }),
  }
  const degraded = afterRefresh(stored.degraded, tokens, sentAt)
  const isIdle = !isForCall && sentAt.getTime() - (stored.lastUsedAt?.getTime() ?? 0) > IDLE_AFTER_MS
  const dueAt =
    tokens.accessToken === null && degraded ? degraded.nextAttemptAt : refreshDueAt(sentAt, expiresAt, random(), isIdle)
  const after = await resolveAttempt(deps, lock, stored, { event, dueAt, degraded })

  const isOurs = after.connection.status === 'connected' && after.connection.credential.sealed === sealed
  if (isOurs && after.workspace === null) void identifyWorkspace(deps, stream, credential)
  // Another replica took over, or a new consent was stored, while the refresh was in flight.
  if (!isOurs) log.warn('credential.superseded', { space: spaceId, generation, version: after.version })
  if (!isOurs) await revokeLeftover(deps, after, grant, credential)
  return after
}

const haveSameEndpoints = (one: Grant, other: Grant): boolean =>
  one.tokenEndpoint === other.tokenEndpoint &&
  one.revocationEndpoint === other.revocationEndpoint &&
  one.resource === other.resource

/** The degraded mark after a refresh: cleared, unless the access token is missing or upstream has yet to accept a fresh one. */
function afterRefresh(before: Degraded | null, { accessToken }: Tokens, now: Date): Degraded | null {
  if (accessToken === null) {
    const reason = 'access_token_missing'
    return degradedAgain(before, reason, 'no access token', now, missingTokenPauseMs(attemptsOf(before, reason)))
  }
  return before?.reason === 'upstream_refuses_token' ? before : null
}

/** Revokes the new tokens if a user has disconnected or consented again meanwhile. */
async function revokeLeftover(
  { server, vault, log }: RefreshDependencies,
  after: StoredConnection,
  grant: Grant,
  credential: Credential,
): Promise<void> {
  const { connection, spaceId } = after
  if (connection.status === 'absent') return
  const isReplaced = connection.grant.authorizedAt.getTime() !== grant.authorizedAt.getTime()
  if (connection.status !== 'disconnected' && !isReplaced) return
  if (connection.status === 'connected' && server.isShared(credential.client)) return
  const client = clientInUse(vault, after)
  if (client && isSameClient(client, credential.client)) return
  log.info('credential.revoked', { space: spaceId, revocation: await server.revoke(grant, credential) })
}

/** Maximum pause between two attempts to store. */
const MAX_STORE_PAUSE_MS = 5_000

/**
 * Appends the decision of the authorization server. It cannot be requested again, so the attempts continue, with alerts for the operator, until
 * one succeeds or the connection has moved on.
 *
 * @returns the stored connection afterwards.
 */
async function resolveAttempt(
  { log, changes, store }: RefreshDependencies,
  lock: RefreshLock,
  stored: StoredConnection,
  {
    event,
    dueAt,
    degraded,
  }: { readonly event: ConnectionEvent; readonly dueAt: Date | null; readonly degraded: Degraded | null },
): Promise<StoredConnection> {
  const { spaceId, stream, version } = stored
  const connection = evolve(stored.connection, event)
  const retryUntilDone = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const done = await work()
        if (attempt > 1) log.info('credential.stored_late', { space: spaceId, type: event.type, attempt })
        return done
      } catch (error) {
        const fields = { space: spaceId, type: event.type, attempt, alert: true }
        log.error('credential.not_stored', { ...fields, ...describeError(error) })
        // A new consent makes further attempts unnecessary and ends the pause.
        await changes.next(spaceId, Math.min(MAX_STORE_PAUSE_MS, 50 * 2 ** attempt))
      }
    }
  }

  const isStored = await retryUntilDone(async () => {
    try {
      const position = { stream, spaceId, expectedVersion: version, fencingToken: lock.id }
      return await store.append({ ...position, event, connection, refreshDueAt: dueAt, degraded })
    } catch (error) {
      // A statement that the database rejects fails each time, so it never detects that the connection has moved on.
      const now = isTransient(error) ? undefined : await store.read(spaceId)
      if (now && (now.version !== version || now.intent?.fencingToken !== lock.id)) return false
      throw error
    }
  })

  if (isStored) return { ...stored, version: version + 1, connection, intent: null, degraded }
  // The connection has moved on, or an attempt of ours was stored although its response was lost.
  return retryUntilDone(() => store.read(spaceId))
}

async function identifyWorkspace(
  { identify, store, log }: RefreshDependencies,
  stream: string,
  credential: Credential,
): Promise<void> {
  try {
    const workspace = credential.accessToken && (await identify(credential.accessToken))
    if (workspace) await store.nameWorkspace(stream, workspace)
  } catch (error) {
    log.warn('workspace.not_named', describeError(error))
  }
}

/** Records a final refusal. The refresh token is never sent again. */
export async function markGrantLost(
  deps: RefreshDependencies,
  lock: RefreshLock,
  stored: StoredConnection,
  refusal: { readonly error: string; readonly isTokenExpired: boolean },
): Promise<StoredConnection> {
  const { grant, lastRefreshedAt } = requireConnected(deps, stored)
  const at = deps.clock()
  const reason = classifyRefusal(refusal, grant, lastRefreshedAt, at)

  const event: ConnectionEvent = {
    type: 'NotionIntegrationAuthorizationFailed',
    at,
    error: refusal.error,
    reason,
    generation: stored.version,
  }
  return resolveAttempt(deps, lock, stored, { event, dueAt: null, degraded: null })
}
