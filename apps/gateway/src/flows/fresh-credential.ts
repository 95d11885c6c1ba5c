import { evolve, reasonOf, type Connection, type ConnectionEvent } from '../domain/connection.ts'
import { backOffMs, IDLE_AFTER_MS, refreshDueAt } from '../domain/refresh-schedule.ts'
import { Failure } from '../failure.ts'
import { describeError, type Log } from '../log.ts'
import type {
  Access,
  AccessTokens,
  AuthorizationServer,
  Changes,
  Claim,
  Claims,
  Clock,
  ConnectionStore,
  Credential,
  IdentifyWorkspace,
  StoredConnection,
  Tokens,
  Vault,
  WrappedDataKey,
} from '../ports.ts'

export interface FreshCredentialDependencies {
  readonly clock: Clock
  /** 0 to 1, for spreading what would otherwise happen at once. */
  readonly random: () => number
  readonly pause: (ms: number) => Promise<void>
  readonly log: Log
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly server: Pick<AuthorizationServer, 'refresh' | 'revoke'>
  readonly claims: Claims
  readonly changes: Changes
  readonly identify: IdentifyWorkspace
  /** A call refreshes first when the access token ends within this. */
  readonly refreshMarginMs: number
  /** Where a person reconnects the space, for the sentence that tells them to. */
  readonly connectUrl: (spaceId: string) => string
}

/** How long a call waits for a refresh, its own or another's, before it is told to come back. */
const CALL_WAITS_MS = 25_000

/** How long a refresh that found the claim taken goes on asking for it. Longer than two requests to the authorization server take. */
const CLAIM_WAITS_MS = 40_000

/** How often one that waits for the claim looks by itself, beside listening for the news. */
const LOOK_AGAIN_MS = 250

/** A token kept through a failed renewal is looked at again after this. */
const RECHECK_MS = 5_000

const REMEMBERED_SPACES = 100_000

interface Remembered {
  readonly access: Access
  readonly freshUntilMs: number
}

/** The access tokens of all connections, and the one place where a refresh token is spent. */
export interface Credentials extends AccessTokens {
  /** Renews ahead of need; resolves when it is renewed, by whomever. @throws {Failure} */
  renew(spaceId: string): Promise<void>
  /** The spaces used since the last time this was asked. */
  takeUsed(): string[]
  /** Resolves when no refresh is in flight here. */
  settled(): Promise<void>
}

/**
 * A refresh token may be good for one use only, and a second use may end the whole grant
 * ([RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700.html#section-4.14.2)). So over all replicas one claims the refresh, whoever waited
 * reads again before doing anything, the intent is durable before the token leaves, and the pair is stored before it is used.
 */
export function freshCredentials(deps: FreshCredentialDependencies): Credentials {
  const { clock, store, vault, changes } = deps
  const remembered = new Map<string, Remembered>()
  const loading = new Map<string, { promise: Promise<Access>; isOutdated: boolean }>()
  const renewing = new Map<string, { promise: Promise<Access>; generation: number }>()
  let used = new Set<string>()

  changes.onChange((spaceId, version) => {
    const load = loading.get(spaceId)
    if (load) load.isOutdated = true
    const known = remembered.get(spaceId)
    if (known && known.access.version < version) remembered.delete(spaceId)
  })
  changes.onInterruption(() => {
    remembered.clear()
    for (const load of loading.values()) load.isOutdated = true
  })

  const remember = (spaceId: string, access: Access, freshUntilMs: number): Access => {
    if (!changes.isLive()) return access
    remembered.delete(spaceId)
    remembered.set(spaceId, { access, freshUntilMs })
    if (remembered.size > REMEMBERED_SPACES) remembered.delete(remembered.keys().next().value as string)
    return access
  }

  const load = async (spaceId: string, isOutdated: () => boolean): Promise<Access> => {
    const stored = await store.read(spaceId)
    const { credential } = connected(deps, stored)
    const freshUntilMs = (credential.expiresAt?.getTime() ?? Infinity) - deps.refreshMarginMs
    if (clock().getTime() < freshUntilMs) {
      const access = open(vault, stored)
      return isOutdated() ? access : remember(spaceId, access, freshUntilMs)
    }
    try {
      return await newerThan(spaceId, credential.generation, true)
    } catch (error) {
      // Better the last minute of a valid token than an error.
      const isStillGood = credential.expiresAt !== null && clock() < credential.expiresAt
      if (!isStillGood || !(error instanceof Failure) || error.code !== 'refresh_unavailable') throw error
      const access = open(vault, stored)
      const recheckAtMs = Math.min(credential.expiresAt.getTime(), clock().getTime() + RECHECK_MS)
      return isOutdated() ? access : remember(spaceId, access, recheckAtMs)
    }
  }

  /** An access token of a later generation than this; joins a renewal that is on its way here already. */
  const newerThan = async (spaceId: string, generation: number, isForCall: boolean): Promise<Access> => {
    for (;;) {
      const running = renewing.get(spaceId)
      if (!running || running.generation >= generation) break
      await running.promise.catch(() => undefined)
    }
    const running = renewing.get(spaceId)
    if (running) return inTime(running.promise)
    const promise = renewed(deps, spaceId, generation, isForCall)
      .then((stored) => {
        const { credential } = connected(deps, stored)
        return remember(
          spaceId,
          open(vault, stored),
          (credential.expiresAt?.getTime() ?? Infinity) - deps.refreshMarginMs,
        )
      })
      .finally(() => renewing.delete(spaceId))
    renewing.set(spaceId, { promise, generation })
    return inTime(promise)
  }

  return {
    current(spaceId) {
      used.add(spaceId)
      const known = remembered.get(spaceId)
      if (known && clock().getTime() < known.freshUntilMs && changes.isLive()) return known.access
      const running = loading.get(spaceId)
      if (running) return running.promise
      const entry = { isOutdated: false, promise: Promise.resolve() as Promise<unknown> as Promise<Access> }
      entry.promise = load(spaceId, () => entry.isOutdated).finally(() => loading.delete(spaceId))
      loading.set(spaceId, entry)
      return entry.promise
    },

    async after(spaceId, refused) {
      const known = remembered.get(spaceId)
      if (known && known.access.version > refused.version && changes.isLive()) return known.access
      remembered.delete(spaceId)
      return newerThan(spaceId, refused.version, true)
    },

    async renew(spaceId) {
      const stored = await store.read(spaceId)
      if (stored.connection.status !== 'connected') return
      await newerThan(spaceId, stored.connection.credential.generation, false)
    },

    takeUsed() {
      const taken = [...used]
      used = new Set()
      return taken
    },

    async settled() {
      while (renewing.size > 0) await Promise.allSettled([...renewing.values()].map(({ promise }) => promise))
    },
  }
}

/** The stored connection once its credential is of a later generation, refreshed by whoever holds the claim. */
async function renewed(
  deps: FreshCredentialDependencies,
  spaceId: string,
  generation: number,
  isForCall: boolean,
): Promise<StoredConnection> {
  const { store, claims, changes, clock, random } = deps
  const isNewer = (stored: StoredConnection) => connected(deps, stored).credential.generation > generation
  const giveUpAtMs = clock().getTime() + CLAIM_WAITS_MS

  for (;;) {
    const stored = await store.read(spaceId)
    if (isNewer(stored)) return stored
    refuseWhileBackingOff(deps, stored)
    const claim = await claims.tryTake(stored.stream)
    if (claim) {
      try {
        const meanwhile = await store.read(spaceId)
        if (isNewer(meanwhile)) return meanwhile
        refuseWhileBackingOff(deps, meanwhile)
        const after = await redeem(deps, claim, meanwhile, isForCall)
        if (after && isNewer(after)) return after
      } finally {
        await claim.release()
      }
    }
    if (clock().getTime() > giveUpAtMs) throw unavailable(2)
    await changes.next(spaceId, LOOK_AGAIN_MS * (0.5 + random()))
  }
}

function refuseWhileBackingOff({ clock }: FreshCredentialDependencies, { version, intent }: StoredConnection): void {
  if (intent?.generation !== version || intent.notBefore === null) return
  const remainingMs = intent.notBefore.getTime() - clock().getTime()
  if (remainingMs > 0) throw unavailable(Math.ceil(remainingMs / 1000))
}

/**
 * Spends the refresh token of `stored` under `claim`. Where the answer got lost, the same token goes out once more at once: the server keeps
 * the previous refresh token valid for exactly that. An answer is final; no answer is never.
 *
 * @returns what is stored afterwards, or undefined when the stream moved on before anything was sent.
 */
async function redeem(
  deps: FreshCredentialDependencies,
  claim: Claim,
  stored: StoredConnection,
  isForCall: boolean,
): Promise<StoredConnection | undefined> {
  const { clock, log, store, vault, server, random } = deps
  const { spaceId, stream, version } = stored
  const { grant, credential: sealed } = connected(deps, stored)
  const credential = vault.open(dataKeyOf(stored), stream, sealed.generation, sealed.sealed)
  // An intent for this generation that nobody took back: its holder died, and may have sent the token.
  const before = stored.intent?.generation === version ? stored.intent : { inDoubt: 0, failures: 0 }

  for (let { inDoubt, failures } = before; ;) {
    if (!(await claim.intend({ generation: version, inDoubt: inDoubt + 1, failures, notBefore: null })))
      return undefined
    const started = performance.now()
    const outcome = await server.refresh(grant, credential, () => claim.isEntitled())
    const facts = { space: spaceId, generation: version, inDoubt, tookMs: Math.round(performance.now() - started) }

    if (outcome.kind === 'granted') {
      const after = await keep(deps, claim, stored, credential, outcome.tokens, isForCall)
      log.info('credential.refreshed', { ...facts, stored: after.version })
      return after
    }
    if (outcome.kind === 'refused') {
      log.warn('credential.refused', { ...facts, error: outcome.error })
      return lose(deps, claim, stored, outcome.error)
    }

    failures += 1
    if (outcome.kind === 'in_doubt') inDoubt += 1
    const { kind, retryAfterSeconds } = outcome
    log.warn('credential.not_refreshed', {
      ...facts,
      outcome: kind,
      retryAfterSeconds,
      ...describeError(outcome.cause),
    })
    if (kind === 'in_doubt' && inDoubt === 1 && retryAfterSeconds === undefined) continue

    const waitMs = Math.max((retryAfterSeconds ?? 0) * 1000, backOffMs(failures, random()))
    const notBefore = new Date(clock().getTime() + waitMs)
    await store.postponeRefresh(stream, { generation: version, claimId: claim.id, inDoubt, failures, notBefore })
    throw unavailable(Math.ceil(waitMs / 1000), outcome.cause)
  }
}

/** Stores the new pair before anybody may use it. A database that does not take it is asked until it does: the old token is spent. */
async function keep(
  deps: FreshCredentialDependencies,
  claim: Claim,
  stored: StoredConnection,
  previous: Credential,
  tokens: Tokens,
  isForCall: boolean,
): Promise<StoredConnection> {
  const { clock, log, pause, store, vault, server, random } = deps
  const { spaceId, stream, version, connection } = stored
  const now = clock()
  const credential = {
    ...previous,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken ?? previous.refreshToken,
  }
  const generation = version + 1
  const dataKey = dataKeyOf(stored)
  const sealed = vault.seal(dataKey, stream, generation, credential)
  const expiresAt = expiryOf(now, tokens)
  const event: ConnectionEvent = {
    type: 'NotionIntegrationTokenRefreshed',
    at: now,
    credential: { sealed, keyId: dataKey.id, generation, expiresAt },
  }
  const isIdle = !isForCall && now.getTime() - (stored.lastUsedAt?.getTime() ?? 0) > IDLE_AFTER_MS
  const append = {
    stream,
    spaceId,
    expectedVersion: version,
    event,
    connection: evolve(connection, event),
    refreshDueAt: refreshDueAt(now, expiresAt, random(), isIdle),
    claimId: claim.id,
  }

  const insist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'store_unavailable') throw error
        log.error('credential.not_stored', {
          space: spaceId,
          generation,
          attempt,
          alert: true,
          ...describeError(error),
        })
        await pause(Math.min(2_000, 50 * 2 ** attempt))
      }
    }
  }
  await insist(() => store.append(append))
  const after = await insist(() => store.read(spaceId))
  const isOurs = after.connection.status === 'connected' && after.connection.credential.sealed === sealed
  if (isOurs && after.workspace === null) void name(deps, stream, credential)
  if (!isOurs && after.connection.status === 'disconnected') {
    // Somebody disconnected while the refresh was on its way; what it brought must not live on.
    const revocation = await server.revoke(connected(deps, stored).grant, credential)
    log.info('credential.revoked', { space: spaceId, revocation })
  }
  return after
}

async function name(
  { identify, store, log }: FreshCredentialDependencies,
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
async function lose(
  deps: FreshCredentialDependencies,
  claim: Claim,
  stored: StoredConnection,
  error: string,
): Promise<StoredConnection> {
  const { clock, store } = deps
  const { spaceId, stream, version, connection } = stored
  const { grant, lastRefreshedAt } = connected(deps, stored)
  const at = clock()
  const reason = reasonOf(error, grant, lastRefreshedAt, at)
  const event: ConnectionEvent = {
    type: 'NotionIntegrationAuthorizationFailed',
    at,
    error,
    reason,
    generation: version,
  }
  await store.append({
    stream,
    spaceId,
    expectedVersion: version,
    event,
    connection: evolve(connection, event),
    refreshDueAt: null,
    claimId: claim.id,
  })
  return store.read(spaceId)
}

/** @throws {Failure} `not_connected`, `reconnect_required`. */
function connected(
  { connectUrl }: Pick<FreshCredentialDependencies, 'connectUrl'>,
  { spaceId, connection, dataKey }: StoredConnection,
): Extract<Connection, { status: 'connected' }> {
  switch (connection.status) {
    case 'connected':
      return connection
    case 'absent':
      // Whoever begins a consent leaves a data key behind.
      throw dataKey ? neverCompleted(connectUrl(spaceId)) : notConnected(connectUrl(spaceId))
    case 'disconnected':
      throw notConnected(connectUrl(spaceId))
    case 'reconnect_required':
      throw new Failure(
        'reconnect_required',
        `Notion no longer accepts this connection. Reconnect Notion: ${connectUrl(spaceId)}`,
      )
  }
}

const notConnected = (link: string) =>
  new Failure('not_connected', `No Notion integration connected for this space. Connect Notion first: ${link}`)

const neverCompleted = (link: string) =>
  new Failure(
    'reconnect_required',
    `Connecting Notion was begun for this space and never completed. Reconnect Notion: ${link}`,
  )

function open(vault: Vault, stored: StoredConnection): Access {
  const { connection, stream } = stored
  if (connection.status !== 'connected') throw new Error('only a connected connection has a credential')
  const { generation, sealed } = connection.credential
  return { token: vault.open(dataKeyOf(stored), stream, generation, sealed).accessToken, version: generation }
}

function dataKeyOf({ connection, dataKey }: StoredConnection): WrappedDataKey {
  if (dataKey && connection.status === 'connected' && connection.credential.keyId === dataKey.id) return dataKey
  throw new Failure(
    'sealed_value_unreadable',
    'A stored credential cannot be opened: its data key is missing from the database. Reconnect Notion.',
  )
}

/** End of the access token; null when the server did not say ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)). */
export const expiryOf = (now: Date, { expiresInSeconds }: Tokens): Date | null =>
  expiresInSeconds === null ? null : new Date(now.getTime() + expiresInSeconds * 1000)

async function inTime<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(unavailable(2)), CALL_WAITS_MS)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const unavailable = (retryAfterSeconds: number, cause?: unknown) =>
  new Failure(
    'refresh_unavailable',
    "Notion's authorization server does not answer properly right now. The connection is kept; try again.",
    {
      cause,
      retryAfterSeconds,
    },
  )
