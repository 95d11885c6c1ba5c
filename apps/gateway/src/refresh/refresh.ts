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

/** Poll interval while waiting for the lock, in addition to NOTIFY. */
const LOCK_POLL_MS = 250

/** Pause after a 429 without `Retry-After`. */
const RATE_LIMITED_PAUSE_MS = 5_000

/** Pause after the SSRF guard forbade the address, until a setting or a DNS record is corrected. */
const FORBIDDEN_PAUSE_MS = 60_000

/** Refreshes a connection under the refresh lock. @returns the connection with a later token generation, refreshed by any replica. */
export async function refreshUnderLock(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  spaceId: string,
  generation: number,
  isForCall: boolean,
): Promise<StoredConnection> {
  const { store, locks, changes, random, times } = deps
  const isNewer = (stored: StoredConnection) => requireConnected(deps, stored).credential.generation > generation
  /** True if an attempt is allowed now; false while one is in flight. @throws {Failure} during a pause. */
  const mayAttempt = async (stored: StoredConnection): Promise<boolean> => {
    if (!requireConnected(deps, stored).credential.isRenewable) return true
    await throwIfPaused(deps, stored)
    await throwIfCircuitOpen(deps, circuits, stored)
    return !mayBeInFlight(deps, stored)
  }
  const startedMs = performance.now()
  let seen = ''
  let unchangedSinceMs = startedMs

  for (;;) {
    const stored = await store.read(spaceId)
    if (isNewer(stored)) return stored

    const state = `${stored.version} ${stored.intent?.fencingToken} ${stored.intent?.inDoubt}`
    if (state !== seen) {
      seen = state
      unchangedSinceMs = performance.now()
    }
    // A stopped process keeps its lock. Bypass it as late as a takeover from a process that died.
    const isStuck = performance.now() - unchangedSinceMs > times.takeoverAfterMs
    const lock = (await mayAttempt(stored)) ? await locks.acquire(stored.stream, isStuck) : undefined
    if (lock) {
      try {
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

async function throwIfPaused(deps: RefreshDependencies, stored: StoredConnection): Promise<void> {
  const { version, intent, degraded } = stored
  const now = deps.clock()
  // The pause ends early once the operator has restored the key.
  if (degraded?.reason === 'credential_unreadable') return void (await openOrMark(deps, stored))
  const backOff =
    intent?.generation === version && intent.notBefore ? remainingPauseMs(intent.notBefore, intent.pauseMs, now) : 0
  const pauseMs = Math.max(backOff, degraded ? remainingMs(degraded, now) : 0)
  if (pauseMs > 0) throw refreshUnavailable(deps, stored, pauseMs)
}

/** Pause of a connection while the circuit is open. */
const OUTAGE_PAUSE_MS = 2_000

/** Fails fast while the authorization server is down, and marks a connection without a valid access token once. */
async function throwIfCircuitOpen(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  stored: StoredConnection,
): Promise<void> {
  const { grant, credential } = requireConnected(deps, stored)
  const now = deps.clock()
  if (!circuits.isOpen(deps.server.currentGrant(grant).tokenEndpoint, now.getTime())) return
  const isExpired = credential.expiresAt !== null && credential.expiresAt <= now
  if (isExpired && stored.degraded === null) {
    await deps.store.setDegraded(
      stored,
      degradedAgain(null, 'renewal_unreachable', 'no connection', now, OUTAGE_PAUSE_MS),
    )
  }
  throw refreshUnavailable(deps, stored, OUTAGE_PAUSE_MS)
}

/** Marks the connection as degraded if `open` throws `credential_unreadable`. @throws {Failure} the failure of `open`. */
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

const openOrMark = (deps: RefreshDependencies, stored: StoredConnection) =>
  markUnreadable(deps, stored, () => openCredential(deps, stored))

/** Concurrent requests with the same refresh token may be processed in either order, which would invalidate the tokens of the first. */
const mayBeInFlight = ({ times }: RefreshDependencies, { version, intent }: StoredConnection): boolean =>
  intent?.generation === version && intent.notBefore === null && intent.ageMs <= times.takeoverAfterMs

/**
 * Redeems the refresh token of `stored` under `lock`. After a lost response, the same token is sent once more, promptly: the server keeps the
 * previous refresh token valid for this case. After that it is retried with a back-off: as long as no response was read, no newer token is
 * known, so there is nothing to lose. If the endpoint has moved or the resource indicator is rejected, the request is repeated once accordingly.
 * The first readable response decides.
 *
 * @returns the stored connection afterwards, or undefined when the stream has moved on before a request was sent.
 */
async function redeem(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  lock: RefreshLock,
  stored: StoredConnection,
  isForCall: boolean,
): Promise<StoredConnection | undefined> {
  const { clock, log, pause, server, times } = deps
  const { spaceId, stream, version } = stored
  const credential = await openOrMark(deps, stored)
  const { refreshToken } = credential
  if (refreshToken === null) return expireGrant(deps, stored)
  // An unresolved intent of this generation counts as in doubt, as its holder may have sent the token. A resolved one has the attempts so far.
  const before = stored.intent?.generation === version ? stored.intent : { inDoubt: 0, failures: 0 }
  const nextAlternative = alternativesTo(deps, requireConnected(deps, stored).grant)
  let grant = server.currentGrant(requireConnected(deps, stored).grant)
  const circuitPauseMs = circuits.waitMs(grant.tokenEndpoint, clock().getTime())
  if (circuitPauseMs > 0) throw refreshUnavailable(deps, stored, circuitPauseMs)

  for (let { inDoubt, failures } = before; ;) {
    const recheckAt = new Date(clock().getTime() + times.takeoverAfterMs)
    if (!(await lock.recordIntent({ generation: version, inDoubt: inDoubt + 1, failures, recheckAt }))) return undefined

    const sentAt = clock()
    const started = performance.now()
    const outcome = await server.refresh(grant, { ...credential, refreshToken }, lock)
    const fields = { space: spaceId, generation: version, inDoubt, tookMs: Math.round(performance.now() - started) }
    recordHealth(deps, circuits, grant.tokenEndpoint, stream, 'symptom' in outcome ? outcome.symptom : undefined)

    if (outcome.kind === 'granted') {
      const result = { grant, previous: { ...credential, refreshToken }, tokens: outcome.tokens, sentAt, isForCall }
      const after = await storeTokens(deps, lock, stored, result)
      log.info('credential.refreshed', { ...fields, stored: after.version })
      return after
    }
    if (outcome.kind === 'refused') {
      log.warn('credential.refused', { ...fields, error: outcome.error })
      return markGrantLost(deps, lock, stored, outcome)
    }

    failures += 1
    if (outcome.kind === 'in_doubt') inDoubt += 1
    const { kind, symptom, error, retryAfterSeconds } = outcome
    log.warn('credential.not_refreshed', {
      ...fields,
      outcome: kind,
      symptom,
      error,
      retryAfterSeconds,
      ...(outcome.cause === undefined ? {} : describeError(outcome.cause)),
    })
    const alternative = await nextAlternative(grant, outcome, failures)
    if (alternative) {
      grant = alternative
      continue
    }
    const hasEnded = symptom === 'connection_lost' || symptom === 'unreadable'
    if (kind === 'in_doubt' && inDoubt === 1 && hasEnded && retryAfterSeconds === undefined) {
      if (symptom === 'connection_lost') await pause(times.repeatPauseMs)
      continue
    }
    throw await postpone(deps, lock, stored, outcome, { inDoubt, failures })
  }
}

type Undecided = Extract<RefreshOutcome, { readonly symptom: RefreshSymptom }>

/**
 * Alternative grants for the same refresh, each tried once: with the current endpoint from the issuer's metadata, and without the resource
 * indicator. The one that works is stored with the new tokens.
 */
function alternativesTo({ server }: RefreshDependencies, stored: Grant) {
  let mayReread = true
  let mayOmitResource = true
  return async (grant: Grant, { symptom }: Undecided, failures: number): Promise<Grant | undefined> => {
    if (mayOmitResource && symptom === 'resource_refused' && grant.resource !== null) {
      mayOmitResource = false
      return { ...grant, resource: null }
    }
    // A host that has moved cannot be distinguished from a brief outage.
    const isUnreachable = (symptom === 'unreachable' || symptom === 'connection_lost') && failures > 1
    if (mayReread && (symptom === 'moved' || isUnreachable)) {
      mayReread = false
      if (await server.rereadEndpoints(stored)) return { ...server.currentGrant(stored), resource: grant.resource }
    }
    return undefined
  }
}

/** Resolves an attempt without a decision and schedules the next one. @returns the failure for the caller. */
async function postpone(
  { clock, log, random, store, times, connectUrl }: RefreshDependencies,
  lock: RefreshLock,
  stored: StoredConnection,
  { symptom, error, cause, retryAfterSeconds }: Undecided,
  { inDoubt, failures }: { readonly inDoubt: number; readonly failures: number },
): Promise<Failure> {
  const { spaceId, stream, version, connection } = stored
  if (connection.status !== 'connected') throw new Error('only a connected connection is refreshed')
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

  const notBefore = new Date(now.getTime() + pauseMs)
  const intent = { generation: version, fencingToken: lock.id, inDoubt, failures, notBefore, pauseMs }
  await store.postponeRefresh(stream, { ...intent, degraded })
  return symptom === 'forbidden'
    ? addressForbidden(cause)
    : refreshUnavailable({ connectUrl }, { spaceId, degraded }, pauseMs, cause)
}

/** The degraded reason if the symptom persists; undefined for none. */
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

/** Records the end of a grant whose access token has expired and which has no refresh token. No request is sent. */
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
  return symptom === 'rate_limited' ? RATE_LIMITED_PAUSE_MS : 0
}

/** Updates the circuit breaker: any HTTP response that could be read proves that the server is up. */
function recordHealth(
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
      if (circuits.recordFailure(server, stream, clock().getTime())) log.error('authorization_server.down', { server })
      return
    case 'moved':
    case 'rate_limited':
    case 'rejected':
    case 'resource_refused':
    case 'client_rejected':
    case undefined:
      if (circuits.recordResponse(server)) log.info('authorization_server.up', { server })
  }
}
