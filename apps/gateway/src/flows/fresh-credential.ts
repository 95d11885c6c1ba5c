import { circuitBreaker, type CircuitBreaker } from '../domain/circuit-breaker.ts'
import { evolve, reasonOf, type Connection, type ConnectionEvent } from '../domain/connection.ts'
import { backOffMs, freshUntilMs, IDLE_AFTER_MS, refreshDueAt, type RefreshTimes } from '../domain/refresh-schedule.ts'
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
  RefreshSign,
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
  readonly times: RefreshTimes
  /** Where a person reconnects the space, for the sentence that tells them to. */
  readonly connectUrl: (spaceId: string) => string
  /** For tests: called at each step of a refresh, so that they can stop a process right there. */
  readonly onStep?: ((step: RefreshStep) => void) | undefined
}

/** The steps of a refresh between which a process may die, or stop for any length of time. */
export type RefreshStep =
  | 'claiming'
  | 'claimed'
  | 'intending'
  | 'intended'
  | 'answered'
  | 'repeating'
  | 'storing'
  | 'stored'
  | 'losing'
  | 'postponing'

/** How often one that waits for the claim looks by itself, beside listening for the news. */
const LOOK_AGAIN_MS = 250

/** After a 429 that does not say how long to wait. */
const BUSY_PAUSE_MS = 5_000

/** A token kept through a failed renewal is looked at again after this. */
const RECHECK_MS = 5_000

/** How long a background round stays with one renewal; it goes on by itself after that. Longer than any that goes as it should. */
const RENEWAL_WAITS_MS = 60_000

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
  const { clock, store, vault, changes, times } = deps
  const circuits = circuitBreaker(times.redeemWithinMs)
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

  const remember = (spaceId: string, access: Access, untilMs: number): Access => {
    if (!changes.isLive()) return access
    remembered.delete(spaceId)
    remembered.set(spaceId, { access, freshUntilMs: untilMs })
    if (remembered.size > REMEMBERED_SPACES) remembered.delete(remembered.keys().next().value as string)
    return access
  }

  const load = async (spaceId: string, isOutdated: () => boolean): Promise<Access> => {
    const stored = await store.read(spaceId)
    const connection = connected(deps, stored)
    const { expiresAt, generation } = connection.credential
    const untilMs = freshUntilMs(connection, deps.refreshMarginMs)
    if (clock().getTime() < untilMs) {
      const access = open(vault, stored)
      return isOutdated() ? access : remember(spaceId, access, untilMs)
    }
    const isStillGood = () => expiresAt !== null && clock() < expiresAt
    try {
      return await newerThan(spaceId, generation, true, isStillGood() ? times.marginWaitsMs : times.callWaitsMs)
    } catch (error) {
      // Better the last minute of a valid token than an error.
      if (!isStillGood() || !isPassing(error)) throw error
      const access = open(vault, stored)
      const recheckAtMs = Math.min(expiresAt?.getTime() ?? Infinity, clock().getTime() + RECHECK_MS)
      return isOutdated() ? access : remember(spaceId, access, recheckAtMs)
    }
  }

  /** An access token of a later generation than this; joins a renewal that is on its way here already. */
  const newerThan = async (
    spaceId: string,
    generation: number,
    isForCall: boolean,
    waitMs: number,
  ): Promise<Access> => {
    const running = renewing.get(spaceId)
    if (running && running.generation >= generation) return inTime(running.promise, waitMs)
    const promise = renewed(deps, circuits, spaceId, generation, isForCall)
      .then((stored) => {
        const untilMs = freshUntilMs(connected(deps, stored), deps.refreshMarginMs)
        return remember(spaceId, open(vault, stored), untilMs)
      })
      .finally(() => {
        if (renewing.get(spaceId) === entry) renewing.delete(spaceId)
      })
    const entry = { promise, generation }
    renewing.set(spaceId, entry)
    return inTime(promise, waitMs)
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
      if (refused.isSecondTry !== true) {
        const { credential, lastRefreshedAt } = connected(deps, await store.read(spaceId))
        const isNew = lastRefreshedAt !== null && clock().getTime() - lastRefreshedAt.getTime() < times.settlingMs
        if (isNew && credential.generation === refused.version) {
          await deps.pause(times.settlePauseMs)
          return { ...refused, isSecondTry: true }
        }
      }
      return newerThan(spaceId, refused.version, true, times.callWaitsMs)
    },

    async renew(spaceId) {
      const stored = await store.read(spaceId)
      if (stored.connection.status !== 'connected') return
      await newerThan(spaceId, stored.connection.credential.generation, false, RENEWAL_WAITS_MS)
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

/** Whether the failure says nothing about the connection itself. */
const isPassing = (error: unknown) =>
  error instanceof Failure && (error.code === 'refresh_unavailable' || error.code === 'store_unavailable')

/** The stored connection once its credential is of a later generation, refreshed by whoever holds the claim. */
async function renewed(
  deps: FreshCredentialDependencies,
  circuits: CircuitBreaker,
  spaceId: string,
  generation: number,
  isForCall: boolean,
): Promise<StoredConnection> {
  const { store, claims, changes, random, times, onStep } = deps
  const isNewer = (stored: StoredConnection) => connected(deps, stored).credential.generation > generation
  /** Whether there is something to do right now; throws when there will not be for a while. */
  const isOurTurn = (stored: StoredConnection) => {
    refuseWhileBackingOff(deps, stored)
    refuseWhileOpen(deps, circuits, stored)
    return !mayBeUnderWay(deps, stored)
  }
  const startedMs = performance.now()
  let seen = ''
  let unchangedSinceMs = startedMs

  for (;;) {
    const stored = await store.read(spaceId)
    if (isNewer(stored)) return stored
    onStep?.('claiming')
    const state = `${stored.version} ${stored.intent?.claimId} ${stored.intent?.inDoubt}`
    if (state !== seen) {
      seen = state
      unchangedSinceMs = performance.now()
    }
    // A process that stands still keeps its claim; nobody has to wait for it longer than for one that died.
    const isStuck = performance.now() - unchangedSinceMs > times.takenOverAfterMs
    const claim = isOurTurn(stored) ? await claims.tryTake(stored.stream, isStuck) : undefined
    if (claim) {
      try {
        onStep?.('claimed')
        const meanwhile = await store.read(spaceId)
        if (isNewer(meanwhile)) return meanwhile
        const after = isOurTurn(meanwhile) ? await redeem(deps, circuits, claim, meanwhile, isForCall) : undefined
        if (after && isNewer(after)) return after
      } finally {
        void claim.release()
      }
    }
    if (performance.now() - startedMs > times.claimWaitsMs) throw unavailable(2)
    await changes.next(spaceId, LOOK_AGAIN_MS * (0.5 + random()))
  }
}

function refuseWhileBackingOff({ clock }: FreshCredentialDependencies, { version, intent }: StoredConnection): void {
  if (intent?.generation !== version || intent.notBefore === null) return
  const remainingMs = intent.notBefore.getTime() - clock().getTime()
  if (remainingMs > 0) throw unavailable(Math.ceil(remainingMs / 1000))
}

/** A dead authorization server costs nobody a time-out, and the database no work. */
function refuseWhileOpen(deps: FreshCredentialDependencies, circuits: CircuitBreaker, stored: StoredConnection): void {
  const { tokenEndpoint } = connected(deps, stored).grant
  if (circuits.isOpen(tokenEndpoint, deps.clock().getTime())) throw unavailable(2)
}

/** Two requests with the same refresh token, under way at once, could be taken in either order: the pair of the first to be taken is dead. */
const mayBeUnderWay = ({ times }: FreshCredentialDependencies, { version, intent }: StoredConnection): boolean =>
  intent?.generation === version && intent.notBefore === null && intent.ageMs <= times.takenOverAfterMs

/**
 * Spends the refresh token of `stored` under `claim`. Where the answer got lost, the same token goes out once more, promptly: the server keeps
 * the previous refresh token valid for exactly that. After that it goes out again in growing pauses: as long as no answer was read, nobody
 * holds a newer one, and there is nothing left to lose. The first readable answer is final; none is never.
 *
 * @returns what is stored afterwards, or undefined when the stream moved on before anything was sent.
 */
async function redeem(
  deps: FreshCredentialDependencies,
  circuits: CircuitBreaker,
  claim: Claim,
  stored: StoredConnection,
  isForCall: boolean,
): Promise<StoredConnection | undefined> {
  const { clock, log, pause, store, vault, server, random, times, onStep } = deps
  const { spaceId, stream, version } = stored
  const { grant, credential: sealed } = connected(deps, stored)
  const credential = vault.open(dataKeyOf(stored), { stream, generation: sealed.generation, grant }, sealed.sealed)
  // An intent for this generation: unsettled, its holder died and may have sent the token; settled, its attempts are counted in it.
  const before = stored.intent?.generation === version ? stored.intent : { inDoubt: 0, failures: 0 }
  const heldBackMs = circuits.waitMs(grant.tokenEndpoint, clock().getTime())
  if (heldBackMs > 0) throw unavailable(Math.ceil(heldBackMs / 1000))

  for (let { inDoubt, failures } = before; ;) {
    onStep?.('intending')
    const lookAgainAt = new Date(clock().getTime() + times.takenOverAfterMs)
    if (!(await claim.intend({ generation: version, inDoubt: inDoubt + 1, failures, lookAgainAt }))) return undefined
    onStep?.('intended')
    const sentAt = clock()
    const started = performance.now()
    const outcome = await server.refresh(grant, credential, claim)
    onStep?.('answered')
    const facts = { space: spaceId, generation: version, inDoubt, tookMs: Math.round(performance.now() - started) }
    noteHealth(deps, circuits, grant.tokenEndpoint, stream, 'sign' in outcome ? outcome.sign : undefined)

    if (outcome.kind === 'granted') {
      const after = await keep(deps, claim, stored, credential, outcome.tokens, sentAt, isForCall)
      log.info('credential.refreshed', { ...facts, stored: after.version })
      return after
    }
    if (outcome.kind === 'refused') {
      log.warn('credential.refused', { ...facts, error: outcome.error })
      return lose(deps, claim, stored, outcome.error)
    }

    failures += 1
    if (outcome.kind === 'in_doubt') inDoubt += 1
    const { kind, sign, retryAfterSeconds } = outcome
    log.warn('credential.not_refreshed', {
      ...facts,
      outcome: kind,
      sign,
      retryAfterSeconds,
      ...describeError(outcome.cause),
    })
    const isOver = sign === 'cut' || sign === 'unreadable'
    if (kind === 'in_doubt' && inDoubt === 1 && isOver && retryAfterSeconds === undefined) {
      onStep?.('repeating')
      if (sign === 'cut') await pause(times.repeatPauseMs)
      continue
    }

    const askedMs = retryAfterSeconds === undefined ? leastPauseMs(sign, times) : retryAfterSeconds * 1000
    const waitMs = Math.max(askedMs, backOffMs(failures, random()))
    const notBefore = new Date(clock().getTime() + waitMs)
    onStep?.('postponing')
    await store.postponeRefresh(stream, { generation: version, claimId: claim.id, inDoubt, failures, notBefore })
    throw unavailable(Math.ceil(waitMs / 1000), outcome.cause)
  }
}

function leastPauseMs(sign: RefreshSign, { silencePauseMs }: RefreshTimes): number {
  if (sign === 'silent') return silencePauseMs
  return sign === 'busy' ? BUSY_PAUSE_MS : 0
}

/** Whether the authorization server is there at all. One that says "later" or "no" is; a token withheld tells nothing. */
function noteHealth(
  { clock, log }: FreshCredentialDependencies,
  circuits: CircuitBreaker,
  server: string,
  stream: string,
  sign: RefreshSign | undefined,
): void {
  switch (sign) {
    case 'withheld':
      return
    case 'unreachable':
    case 'silent':
    case 'cut':
    case 'unreadable':
      if (circuits.failed(server, stream, clock().getTime())) log.error('authorization_server.down', { server })
      return
    case 'busy':
    case 'objecting':
    case undefined:
      if (circuits.answered(server)) log.info('authorization_server.up', { server })
  }
}

/** Stores the new pair before anybody may use it. A database that does not take it is asked until it does: the old token is spent. */
async function keep(
  deps: FreshCredentialDependencies,
  claim: Claim,
  stored: StoredConnection,
  previous: Credential,
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
    credential: { sealed, keyId: dataKey.id, generation, expiresAt },
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
  { log, pause, store, onStep }: FreshCredentialDependencies,
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
        await pause(Math.min(LONGEST_STORING_PAUSE_MS, 50 * 2 ** attempt))
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
  return {
    token: vault.open(dataKeyOf(stored), { stream, generation, grant: connection.grant }, sealed).accessToken,
    version: generation,
  }
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

async function inTime<T>(promise: Promise<T>, waitMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(unavailable(2)), waitMs)
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
