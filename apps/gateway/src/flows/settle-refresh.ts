import { evolve, reasonOf, type ConnectionEvent } from '../domain/connection.ts'
import { IDLE_AFTER_MS, refreshDueAt } from '../domain/refresh-schedule.ts'
import { describeError } from '../log.ts'
import type { Claim, Credential, RenewableCredential, StoredConnection, Tokens } from '../ports.ts'
import { connected, dataKeyOf, expiryOf, isPassing } from './opened-credential.ts'
import type { RefreshDependencies } from './refresh.ts'

/** Stores the new pair before anybody may use it. A database that does not take it is asked until it does: the old token is spent. */
export async function keep(
  deps: RefreshDependencies,
  claim: Claim,
  stored: StoredConnection,
  previous: RenewableCredential,
  tokens: Tokens,
  sentAt: Date,
  isForCall: boolean,
): Promise<StoredConnection> {
  const { log, vault, server, random } = deps
  const { spaceId, stream, version, connection } = stored
  const { grant } = connected(deps, stored)
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
  }
  const isIdle = !isForCall && sentAt.getTime() - (stored.lastUsedAt?.getTime() ?? 0) > IDLE_AFTER_MS
  const after = await settle(deps, claim, stored, event, refreshDueAt(sentAt, expiresAt, random(), isIdle))

  const isOurs = after.connection.status === 'connected' && after.connection.credential.sealed === sealed
  if (isOurs && after.workspace === null) void name(deps, stream, credential)
  // Taken over, or replaced by a new consent, while the refresh was on its way.
  if (!isOurs) log.warn('credential.came_too_late', { space: spaceId, generation, version: after.version })
  if (!isOurs && after.connection.status === 'disconnected' && connection.status === 'connected') {
    // What the refresh brought must not live on.
    const revocation = await server.revoke(connection.grant, credential)
    log.info('credential.revoked', { space: spaceId, revocation })
  }
  return after
}

/** The longest pause between two attempts to store what must not be lost. */
const LONGEST_STORING_PAUSE_MS = 5_000

/**
 * Appends what the authorization server has decided. It said so to us alone and says it only once, so nothing but success ends the attempts,
 * or that somebody else has moved the connection on. Whoever operates this has to know.
 *
 * @returns what is stored afterwards.
 */
async function settle(
  { log, changes, store, onStep }: RefreshDependencies,
  claim: Claim,
  stored: StoredConnection,
  event: ConnectionEvent,
  dueAt: Date | null,
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
      const place = { stream, spaceId, expectedVersion: version, claimId: claim.id }
      return await store.append({ ...place, event, connection, refreshDueAt: dueAt })
    } catch (error) {
      // A statement that the database refuses would be refused for ever, and never tell that somebody else has moved the connection on.
      const now = isPassing(error) ? undefined : await store.read(spaceId)
      if (now && (now.version !== version || now.intent?.claimId !== claim.id)) return false
      throw error
    }
  })
  onStep?.('stored')
  if (isStored) return { ...stored, version: version + 1, connection, intent: null }
  // Moved on, or stored by an attempt of ours whose answer was lost.
  return insist(() => store.read(spaceId))
}

async function name(
  { identify, store, log }: RefreshDependencies,
  stream: string,
  credential: Credential,
): Promise<void> {
  try {
    const workspace = await identify(credential.accessToken)
    if (workspace) await store.nameWorkspace(stream, workspace)
  } catch (error) {
    log.warn('workspace.not_named', describeError(error))
  }
}

/** The server's final word. From here on nothing is sent with this refresh token again. */
export async function lose(
  deps: RefreshDependencies,
  claim: Claim,
  stored: StoredConnection,
  error: string,
): Promise<StoredConnection> {
  const { grant, lastRefreshedAt } = connected(deps, stored)
  const at = deps.clock()
  const reason = reasonOf(error, grant, lastRefreshedAt, at)
  deps.onStep?.('losing')
  return settle(
    deps,
    claim,
    stored,
    { type: 'NotionIntegrationAuthorizationFailed', at, error, reason, generation: stored.version },
    null,
  )
}
