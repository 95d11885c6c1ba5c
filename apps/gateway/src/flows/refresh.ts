import type { CircuitBreaker } from '../domain/circuit-breaker.ts'
import { endOfToken, evolve } from '../domain/connection.ts'
import { backOffMs, type RefreshTimes } from '../domain/refresh-schedule.ts'
import { describeError, type Log } from '../log.ts'
import type {
  AuthorizationServer,
  Changes,
  Claim,
  Claims,
  Clock,
  ConnectionStore,
  IdentifyWorkspace,
  RefreshSign,
  StoredConnection,
  Vault,
} from '../ports.ts'
import { connected, dataKeyOf, unavailable, unreachableHere } from './opened-credential.ts'
import { keep, lose } from './settle-refresh.ts'

/** What renewing a credential needs of the world. */
export interface RefreshDependencies {
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

/** Until somebody has changed a setting, or a name leads back to where it did. */
const FORBIDDEN_PAUSE_MS = 60_000

/** The stored connection once its credential is of a later generation, refreshed by whoever holds the claim. */
export async function renewed(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  spaceId: string,
  generation: number,
  isForCall: boolean,
): Promise<StoredConnection> {
  const { store, claims, changes, random, times, onStep } = deps
  const isNewer = (stored: StoredConnection) => connected(deps, stored).credential.generation > generation
  /** Whether there is something to do right now; throws when there will not be for a while. */
  const isOurTurn = (stored: StoredConnection) => {
    if (!connected(deps, stored).credential.isRenewable) return true
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

function refuseWhileBackingOff({ clock }: RefreshDependencies, { version, intent }: StoredConnection): void {
  if (intent?.generation !== version || intent.notBefore === null) return
  const remainingMs = intent.notBefore.getTime() - clock().getTime()
  if (remainingMs > 0) throw unavailable(Math.ceil(remainingMs / 1000))
}

/** A dead authorization server costs nobody a time-out, and the database no work. */
function refuseWhileOpen(deps: RefreshDependencies, circuits: CircuitBreaker, stored: StoredConnection): void {
  const { tokenEndpoint } = connected(deps, stored).grant
  if (circuits.isOpen(tokenEndpoint, deps.clock().getTime())) throw unavailable(2)
}

/** Two requests with the same refresh token, under way at once, could be taken in either order: the pair of the first to be taken is dead. */
const mayBeUnderWay = ({ times }: RefreshDependencies, { version, intent }: StoredConnection): boolean =>
  intent?.generation === version && intent.notBefore === null && intent.ageMs <= times.takenOverAfterMs

/**
 * Spends the refresh token of `stored` under `claim`. Where the answer got lost, the same token goes out once more, promptly: the server keeps
 * the previous refresh token valid for exactly that. After that it goes out again in growing pauses: as long as no answer was read, nobody
 * holds a newer one, and there is nothing left to lose. The first readable answer is final; none is never.
 *
 * @returns what is stored afterwards, or undefined when the stream moved on before anything was sent.
 */
async function redeem(
  deps: RefreshDependencies,
  circuits: CircuitBreaker,
  claim: Claim,
  stored: StoredConnection,
  isForCall: boolean,
): Promise<StoredConnection | undefined> {
  const { clock, log, pause, store, vault, server, random, times, onStep } = deps
  const { spaceId, stream, version } = stored
  const { grant, credential: sealed } = connected(deps, stored)
  const credential = vault.open(dataKeyOf(stored), { stream, generation: sealed.generation, grant }, sealed.sealed)
  const { refreshToken } = credential
  if (refreshToken === null) return end(deps, stored)
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
    const outcome = await server.refresh(grant, { ...credential, refreshToken }, claim)
    onStep?.('answered')
    const facts = { space: spaceId, generation: version, inDoubt, tookMs: Math.round(performance.now() - started) }
    noteHealth(deps, circuits, grant.tokenEndpoint, stream, 'sign' in outcome ? outcome.sign : undefined)

    if (outcome.kind === 'granted') {
      const after = await keep(deps, claim, stored, { ...credential, refreshToken }, outcome.tokens, sentAt, isForCall)
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
    if (sign === 'forbidden') {
      log.error('credential.address_forbidden', {
        space: spaceId,
        server: new URL(grant.tokenEndpoint).origin,
        alert: true,
      })
    }
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
    throw sign === 'forbidden' ? unreachableHere(outcome.cause) : unavailable(Math.ceil(waitMs / 1000), outcome.cause)
  }
}

/** An access token has ended that came without a refresh token: nothing is sent, and what happened is stored like a refusal. */
async function end(
  { clock, store, log }: RefreshDependencies,
  stored: StoredConnection,
): Promise<StoredConnection | undefined> {
  const { spaceId, stream, version, connection } = stored
  if (connection.status !== 'connected') return undefined
  const at = clock()
  const { error, reason } = endOfToken(connection.credential, at)
  const event = { type: 'NotionIntegrationAuthorizationFailed', at, error, reason, generation: version } as const
  const after = evolve(connection, event)
  const append = { stream, spaceId, expectedVersion: version, event, connection: after, refreshDueAt: null }
  if (!(await store.append(append))) return undefined
  log.info('credential.ended', { space: spaceId, generation: version, reason })
  return { ...stored, version: version + 1, connection: after }
}

function leastPauseMs(sign: RefreshSign, { silencePauseMs }: RefreshTimes): number {
  if (sign === 'silent') return silencePauseMs
  if (sign === 'forbidden') return FORBIDDEN_PAUSE_MS
  return sign === 'busy' ? BUSY_PAUSE_MS : 0
}

/** Whether the authorization server is there at all. One that says "later" or "no" is; a token withheld tells nothing. */
function noteHealth(
  { clock, log }: RefreshDependencies,
  circuits: CircuitBreaker,
  server: string,
  stream: string,
  sign: RefreshSign | undefined,
): void {
  switch (sign) {
    case 'withheld':
    case 'forbidden':
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
