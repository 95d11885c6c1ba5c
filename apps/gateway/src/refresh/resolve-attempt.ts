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

/** What a refresh brought. */
export interface RefreshResult {
  /** As it was used: perhaps with other endpoints than the stored one. */
  readonly grant: Grant
  readonly previous: RenewableCredential
  readonly tokens: Tokens
  readonly sentAt: Date
  readonly isForCall: boolean
}

/** Stores the new pair before anybody may use it. A database that does not take it is asked until it does: the old token is spent. */
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
  // Taken over, or replaced by a new consent, while the refresh was on its way.
  if (!isOurs) log.warn('credential.superseded', { space: spaceId, generation, version: after.version })
  if (!isOurs) await revokeLeftover(deps, after, grant, credential)
  return after
}

const haveSameEndpoints = (one: Grant, other: Grant): boolean =>
  one.tokenEndpoint === other.tokenEndpoint &&
  one.revocationEndpoint === other.revocationEndpoint &&
  one.resource === other.resource

/** A refresh clears every mark but two: it may have brought no access token, and whether upstream takes the new one is not known yet. */
function afterRefresh(before: Degraded | null, { accessToken }: Tokens, now: Date): Degraded | null {
  if (accessToken === null) {
    const reason = 'access_token_missing'
    return degradedAgain(before, reason, 'no access token', now, missingTokenPauseMs(attemptsOf(before, reason)))
  }
  return before?.reason === 'upstream_refuses_token' ? before : null
}

/** What a refresh brought must not live on when somebody has disconnected, or consented anew, meanwhile. */
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

/** The longest pause between two attempts to store what must not be lost. */
const LONGEST_STORING_PAUSE_MS = 5_000

/**
 * Appends what the authorization server has decided. It said so to us alone and says it only once, so nothing but success ends the attempts,
 * or that somebody else has moved the connection on. Whoever operates this has to know.
 *
 * @returns what is stored afterwards.
 */
async function resolveAttempt(
  { log, changes, store, onStep }: RefreshDependencies,
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
  const insist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const done = await work()
        if (attempt > 1) log.info('credential.stored_late', { space: spaceId, type: event.type, attempt })
        return done
      } catch (error) {
        const facts = { space: spaceId, type: event.type, attempt, alert: true }
        log.error('credential.not_stored', { ...facts, ...describeError(error) })
        // A consent meanwhile decides the matter, and nobody should wait for this to notice.
        await changes.next(spaceId, Math.min(LONGEST_STORING_PAUSE_MS, 50 * 2 ** attempt))
      }
    }
  }

  onStep?.('storing')
  const isStored = await insist(async () => {
    try {
      const place = { stream, spaceId, expectedVersion: version, fencingToken: lock.id }
      return await store.append({ ...place, event, connection, refreshDueAt: dueAt, degraded })
    } catch (error) {
      // A statement that the database refuses would be refused for ever, and never tell that somebody else has moved the connection on.
      const now = isTransient(error) ? undefined : await store.read(spaceId)
      if (now && (now.version !== version || now.intent?.fencingToken !== lock.id)) return false
      throw error
    }
  })
  onStep?.('stored')
  if (isStored) return { ...stored, version: version + 1, connection, intent: null, degraded }
  // Moved on, or stored by an attempt of ours whose answer was lost.
  return insist(() => store.read(spaceId))
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

/** The server's final word. From here on nothing is sent with this refresh token again. */
export async function markGrantLost(
  deps: RefreshDependencies,
  lock: RefreshLock,
  stored: StoredConnection,
  refusal: { readonly error: string; readonly isTokenExpired: boolean },
): Promise<StoredConnection> {
  const { grant, lastRefreshedAt } = requireConnected(deps, stored)
  const at = deps.clock()
  const reason = classifyRefusal(refusal, grant, lastRefreshedAt, at)
  deps.onStep?.('losing')
  const event: ConnectionEvent = {
    type: 'NotionIntegrationAuthorizationFailed',
    at,
    error: refusal.error,
    reason,
    generation: stored.version,
  }
  return resolveAttempt(deps, lock, stored, { event, dueAt: null, degraded: null })
}
