import type { RefreshDependencies } from './ports.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { afterFailedAttempt, degradedAgain, remainingMs, type FailedAttempt } from '../connections/degraded.ts'
import { classifyTokenEnd, evolve, type Grant } from '../connections/connection.ts'
import { backOffMs, MAX_PAUSE_MS, remainingPauseMs, type RefreshTimes } from '../connections/refresh-schedule.ts'
import { Failure } from '../platform/failure.ts'
import { describeError } from '../platform/log.ts'
import type { RefreshOutcome, RefreshSymptom } from '../connections/authorization-server.ts'
import type { RefreshLock } from './refresh-lock.ts'
import type { StoredConnection } from '../connections/connection-store.ts'
import {
  requireConnected,
  openCredential,
  refreshUnavailable,
  addressForbidden,
} from '../connections/open-credential.ts'
import { markGrantLost, storeTokens } from './resolve-attempt.ts'

/** How often one that waits for the lock looks by itself, beside listening for the news. */
const LOCK_POLL_MS = 250

/** After a 429 that does not say how long to wait. */
const BUSY_PAUSE_MS = 5_000

/** Until somebody has changed a setting, or a name leads back to where it did. */
const FORBIDDEN_PAUSE_MS = 60_000

/** The stored connection once its credential is of a later generation, refreshed by whoever holds the lock. */
export async function refreshUnderLock(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  spaceId: string,
  generation: number,
  isForCall: boolean,
): Promise<StoredConnection> {
  const { store, locks, changes, random, times, onStep } = deps
  const isNewer = (stored: StoredConnection) => requireConnected(deps, stored).credential.generation > generation
  /** Whether there is something to do right now. @throws {Failure} when there will not be for a while. */
  const mayAttempt = async (stored: StoredConnection): Promise<boolean> => {
    if (!requireConnected(deps, stored).credential.isRenewable) return true
    await refuseWhilePaused(deps, stored)
    await refuseWhileCircuitIsOpen(deps, circuits, stored)
    return !mayBeUnderWay(deps, stored)
  }
  const startedMs = performance.now()
  let seen = ''
  let unchangedSinceMs = startedMs

  for (;;) {
    const stored = await store.read(spaceId)
    if (isNewer(stored)) return stored
    onStep?.('locking')
    const state = `${stored.version} ${stored.intent?.fencingToken} ${stored.intent?.inDoubt}`
    if (state !== seen) {
      seen = state
      unchangedSinceMs = performance.now()
    }
    // A process that stands still keeps its lock; nobody has to wait for it longer than for one that died.
    const isStuck = performance.now() - unchangedSinceMs > times.takeoverAfterMs
    const lock = (await mayAttempt(stored)) ? await locks.acquire(stored.stream, isStuck) : undefined
    if (lock) {
      try {
        onStep?.('locked')
        const meanwhile = await store.read(spaceId)
        if (isNewer(meanwhile)) return meanwhile
        const after = (await mayAttempt(meanwhile))
          ? await redeem(deps, circuits, lock, meanwhile, isForCall)
          : undefined
        if (after && isNewer(after)) return after
      } finally {
        void lock.release()
      }
    }
    if (performance.now() - startedMs > times.lockTimeoutMs) throw refreshUnavailable(deps, stored, 2_000)
    await changes.next(spaceId, LOCK_POLL_MS * (0.5 + random()))
  }
}

async function refuseWhilePaused(deps: RefreshDependencies, stored: StoredConnection): Promise<void> {
  const { version, intent, degraded } = stored
  const now = deps.clock()
  // The operator may have given the key back: then there is nothing to wait for.
  if (degraded?.reason === 'credential_unreadable') return void (await openedOrMarked(deps, stored))
  const backOff =
    intent?.generation === version && intent.notBefore ? remainingPauseMs(intent.notBefore, intent.pauseMs, now) : 0
  const pauseMs = Math.max(backOff, degraded ? remainingMs(degraded, now) : 0)
  if (pauseMs > 0) throw refreshUnavailable(deps, stored, pauseMs)
}

/** How long a connection waits that found the authorization server to be down. */
const OUTAGE_PAUSE_MS = 2_000

/** A dead authorization server costs nobody a time-out, and the database no work but one note that nothing can be renewed. */
async function refuseWhileCircuitIsOpen(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  stored: StoredConnection,
): Promise<void> {
  const { grant, credential } = requireConnected(deps, stored)
  const now = deps.clock()
  if (!circuits.isOpen(deps.server.currentGrant(grant).tokenEndpoint, now.getTime())) return
  const isOver = credential.expiresAt !== null && credential.expiresAt <= now
  if (isOver && stored.degraded === null) {
    await deps.store.setDegraded(
      stored,
      degradedAgain(null, 'renewal_unreachable', 'no connection', now, OUTAGE_PAUSE_MS),
    )
  }
  throw refreshUnavailable(deps, stored, OUTAGE_PAUSE_MS)
}

/** Marks a connection as degraded whose credential does not open. @throws {Failure} what `open` throws. */
export async function markUnreadable<T>(
  deps: RefreshDependencies,
  stored: StoredConnection,
  open: () => T,
): Promise<T> {
  try {
    return open()
  } catch (error) {
    if (error instanceof Failure && error.code === 'credential_unreadable') {
      const { degraded, spaceId } = stored
      const now = deps.clock()
      if (degraded?.reason !== 'credential_unreadable' || remainingMs(degraded, now) <= 0) {
        deps.log.error('connection.degraded', {
          space: spaceId,
          reason: error.code,
          alert: true,
          ...describeError(error),
        })
        const mark = degradedAgain(degraded, error.code, error.code, now, MAX_PAUSE_MS)
        await deps.store.setDegraded(stored, mark, mark.nextAttemptAt)
      }
    }
    throw error
  }
}

const openedOrMarked = (deps: RefreshDependencies, stored: StoredConnection) =>
  markUnreadable(deps, stored, () => openCredential(deps, stored))

/** Two requests with the same refresh token, under way at once, could be taken in either order: the pair of the first to be taken is dead. */
const mayBeUnderWay = ({ times }: RefreshDependencies, { version, intent }: StoredConnection): boolean =>
  intent?.generation === version && intent.notBefore === null && intent.ageMs <= times.takeoverAfterMs

/**
 * Spends the refresh token of `stored` under `lock`. Where the response got lost, the same token goes out once more, promptly: the server keeps
 * the previous refresh token valid for exactly that. After that it goes out again in growing pauses: as long as no response was read, nobody
 * holds a newer one, and there is nothing left to lose. Where the endpoint has moved, or the resource indicator is refused, it goes out the other way
 * once. The first readable response is final; none is never.
 *
 * @returns what is stored afterwards, or undefined when the stream moved on before anything was sent.
 */
async function redeem(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  lock: RefreshLock,
  stored: StoredConnection,
  isForCall: boolean,
): Promise<StoredConnection | undefined> {
  const { clock, log, pause, server, times, onStep } = deps
  const { spaceId, stream, version } = stored
  const credential = await openedOrMarked(deps, stored)
  const { refreshToken } = credential
  if (refreshToken === null) return expireGrant(deps, stored)
  // An intent for this generation: unsettled, its holder died and may have sent the token; settled, its attempts are counted in it.
  const before = stored.intent?.generation === version ? stored.intent : { inDoubt: 0, failures: 0 }
  const nextWay = otherWays(deps, requireConnected(deps, stored).grant)
  let grant = server.currentGrant(requireConnected(deps, stored).grant)
  const heldBackMs = circuits.waitMs(grant.tokenEndpoint, clock().getTime())
  if (heldBackMs > 0) throw refreshUnavailable(deps, stored, heldBackMs)

  for (let { inDoubt, failures } = before; ;) {
    onStep?.('recording_intent')
    const recheckAt = new Date(clock().getTime() + times.takeoverAfterMs)
    if (!(await lock.recordIntent({ generation: version, inDoubt: inDoubt + 1, failures, recheckAt }))) return undefined
    onStep?.('intent_recorded')
    const sentAt = clock()
    const started = performance.now()
    const outcome = await server.refresh(grant, { ...credential, refreshToken }, lock)
    onStep?.('answered')
    const facts = { space: spaceId, generation: version, inDoubt, tookMs: Math.round(performance.now() - started) }
    noteHealth(deps, circuits, grant.tokenEndpoint, stream, 'symptom' in outcome ? outcome.symptom : undefined)

    if (outcome.kind === 'granted') {
      const renewed = { grant, previous: { ...credential, refreshToken }, tokens: outcome.tokens, sentAt, isForCall }
      const after = await storeTokens(deps, lock, stored, renewed)
      log.info('credential.refreshed', { ...facts, stored: after.version })
      return after
    }
    if (outcome.kind === 'refused') {
      log.warn('credential.refused', { ...facts, error: outcome.error })
      return markGrantLost(deps, lock, stored, outcome)
    }

    failures += 1
    if (outcome.kind === 'in_doubt') inDoubt += 1
    const { kind, symptom, error, retryAfterSeconds } = outcome
    log.warn('credential.not_refreshed', {
      ...facts,
      outcome: kind,
      symptom,
      error,
      retryAfterSeconds,
      ...(outcome.cause === undefined ? {} : describeError(outcome.cause)),
    })
    const other = await nextWay(grant, outcome, failures)
    if (other) {
      grant = other
      continue
    }
    const isOver = symptom === 'connection_lost' || symptom === 'unreadable'
    if (kind === 'in_doubt' && inDoubt === 1 && isOver && retryAfterSeconds === undefined) {
      onStep?.('repeating')
      if (symptom === 'connection_lost') await pause(times.repeatPauseMs)
      continue
    }
    throw await postpone(deps, lock, stored, outcome, { inDoubt, failures })
  }
}

type Undecided = Extract<RefreshOutcome, { readonly symptom: RefreshSymptom }>

/**
 * Another way to send the same refresh, each once: to the endpoint that the issuer's metadata names today, and without the resource indicator.
 * Which of them worked becomes durable with the tokens that it brought.
 */
function otherWays({ server }: RefreshDependencies, stored: Grant) {
  let mayReread = true
  let mayOmitResource = true
  return async (grant: Grant, { symptom }: Undecided, failures: number): Promise<Grant | undefined> => {
    if (mayOmitResource && symptom === 'resource_refused' && grant.resource !== null) {
      mayOmitResource = false
      return { ...grant, resource: null }
    }
    // A host that is gone and one that is briefly away look the same.
    const isAway = (symptom === 'unreachable' || symptom === 'connection_lost') && failures > 1
    if (mayReread && (symptom === 'moved' || isAway)) {
      mayReread = false
      if (await server.rereadEndpoints(stored)) return { ...server.currentGrant(stored), resource: grant.resource }
    }
    return undefined
  }
}

/** Settles an attempt without a decision. @returns the failure to report. */
async function postpone(
  { clock, log, random, store, times, onStep, connectUrl }: RefreshDependencies,
  lock: RefreshLock,
  stored: StoredConnection,
  { symptom, error, cause, retryAfterSeconds }: Undecided,
  { inDoubt, failures }: { readonly inDoubt: number; readonly failures: number },
): Promise<Failure> {
  const { spaceId, stream, version, connection } = stored
  if (connection.status !== 'connected') throw new Error('only a connected connection is renewed')
  if (symptom === 'forbidden') {
    const server = new URL(connection.grant.tokenEndpoint).origin
    log.error('credential.address_forbidden', { space: spaceId, server, alert: true })
  }
  const now = clock()
  const { expiresAt } = connection.credential
  const tokenEndsInMs = expiresAt && expiresAt.getTime() - now.getTime()
  const minimumPauseMs = retryAfterSeconds === undefined ? leastPause(symptom, times) : retryAfterSeconds * 1000
  const reason = DEGRADED_REASONS[symptom]
  const { pauseMs, degraded } =
    reason === undefined
      ? { pauseMs: Math.max(minimumPauseMs, backOffMs(failures, random())), degraded: stored.degraded }
      : afterFailedAttempt(stored.degraded, { reason, error, failures, minimumPauseMs }, tokenEndsInMs, now, random())
  if (degraded && stored.degraded === null) log.warn('connection.degraded', { space: spaceId, reason, error })
  onStep?.('postponing')
  const notBefore = new Date(now.getTime() + pauseMs)
  const intent = { generation: version, fencingToken: lock.id, inDoubt, failures, notBefore, pauseMs }
  await store.postponeRefresh(stream, { ...intent, degraded })
  return symptom === 'forbidden'
    ? addressForbidden(cause)
    : refreshUnavailable({ connectUrl }, { spaceId, degraded }, pauseMs, cause)
}

/** What a failure says of the connection when it lasts; undefined for nothing. */
const DEGRADED_REASONS: Record<RefreshSymptom, FailedAttempt['reason'] | undefined> = {
  rejected: 'renewal_refused',
  resource_refused: 'renewal_refused',
  client_rejected: 'client_rejected',
  unreadable: 'renewal_unreadable',
  moved: 'renewal_unreadable',
  rate_limited: 'renewal_unreadable',
  unreachable: 'renewal_unreachable',
  timed_out: 'renewal_unreachable',
  connection_lost: 'renewal_unreachable',
  forbidden: 'renewal_unreachable',
  not_sent: undefined,
}

/** An access token has ended that came without a refresh token: nothing is sent, and what happened is stored like a refusal. */
async function expireGrant(
  { clock, store, log }: RefreshDependencies,
  stored: StoredConnection,
): Promise<StoredConnection | undefined> {
  const { spaceId, stream, version, connection } = stored
  if (connection.status !== 'connected') return undefined
  const at = clock()
  const { error, reason } = classifyTokenEnd(connection.credential, at)
  const event = { type: 'NotionIntegrationAuthorizationFailed', at, error, reason, generation: version } as const
  const after = evolve(connection, event)
  const append = {
    stream,
    spaceId,
    expectedVersion: version,
    event,
    connection: after,
    refreshDueAt: null,
  }
  if (!(await store.append(append))) return undefined
  log.info('credential.ended', { space: spaceId, generation: version, reason })
  return { ...stored, version: version + 1, connection: after }
}

function leastPause(symptom: RefreshSymptom, { silencePauseMs }: RefreshTimes): number {
  if (symptom === 'timed_out') return silencePauseMs
  if (symptom === 'forbidden') return FORBIDDEN_PAUSE_MS
  return symptom === 'rate_limited' ? BUSY_PAUSE_MS : 0
}

/** Whether the authorization server is there at all. One that says "later" or "no" is; a token withheld tells nothing. */
function noteHealth(
  { clock, log }: RefreshDependencies,
  circuits: CircuitBreaker,
  server: string,
  stream: string,
  symptom: RefreshSymptom | undefined,
): void {
  switch (symptom) {
    case 'not_sent':
    case 'forbidden':
      return
    case 'unreachable':
    case 'timed_out':
    case 'connection_lost':
    case 'unreadable':
      if (circuits.failed(server, stream, clock().getTime())) log.error('authorization_server.down', { server })
      return
    case 'moved':
    case 'rate_limited':
    case 'rejected':
    case 'resource_refused':
    case 'client_rejected':
    case undefined:
      if (circuits.answered(server)) log.info('authorization_server.up', { server })
  }
}
