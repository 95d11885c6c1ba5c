import type { AuthorizationError, PreviousConsent } from '@nmg/contract'
import { randomUUID } from 'node:crypto'
import { clientInUse, revokeReplaced, revokePending } from './revoke-consent.ts'
import { PENDING_GENERATION, type Grant } from './connection.ts'
import { DEFAULT_RETURN_PATH, returnUrl } from './return-path.ts'
import { mergeScopes } from './oauth/scope.ts'
import { Failure } from '../platform/failure.ts'
import { describeError, type Log } from '../platform/log.ts'
import {
  AuthorizationRefused,
  type AuthorizationServer,
  type IdentifyWorkspace,
  type Tokens,
} from './authorization-server.ts'
import type { AuthorizationRequest, AuthorizationRequests } from './authorization-requests.ts'
import type { Clock } from '../platform/clock.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'
import type { Credential, Workspace } from './credential.ts'
import type { Vault } from './vault.ts'
import { appendAuthorized } from './append-authorized.ts'
import { expiryOf } from './open-credential.ts'
import { digest } from './start-authorization.ts'
import { refuseStepUp } from './step-up.ts'

export interface FinishAuthorizationDependencies {
  readonly clock: Clock
  readonly random: () => number
  readonly pause: (ms: number) => Promise<unknown>
  readonly log: Log
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly server: AuthorizationServer
  readonly requests: AuthorizationRequests
  readonly identify: IdentifyWorkspace
  readonly returnBase: URL
}

/**
 * Completes the authorization of the response's state. Never throws: on any failure the browser returns to the application with an error code.
 *
 * Only the browser with the binding can redeem the state. A repeated callback of that browser gets the outcome of the first.
 *
 * @param response the query of the callback; untrusted.
 * @param binding the cookie of the browser; untrusted.
 * @returns the URL to redirect the browser to.
 */
export async function finishAuthorization(
  deps: FinishAuthorizationDependencies,
  response: URLSearchParams,
  binding: string | undefined,
): Promise<URL> {
  let request: AuthorizationRequest | undefined
  try {
    const stateHash = stateHashOf(response)
    request = await readRequest(deps, stateHash)
    assertSameBrowser(request, binding)
    if (!(await deps.requests.take(stateHash))) return await awaitFirstOutcome(deps, stateHash, request)
    const outcome = await complete(deps, request, response)
    await deps.requests.finish(stateHash, outcome).catch((error: unknown) => {
      deps.log.warn('authorization.outcome_not_stored', { space: request?.spaceId, ...describeError(error) })
    })
    return outcome
  } catch (error) {
    return handleFailure(deps, request, error)
  }
}

function stateHashOf(response: URLSearchParams): string {
  const [state, ...others] = response.getAll('state')
  if (!state || others.length > 0) throw new AuthorizationRefused('unknown_state')
  return digest(state)
}

async function readRequest(
  { requests, vault }: FinishAuthorizationDependencies,
  stateHash: string,
): Promise<AuthorizationRequest> {
  const pending = await requests.read(stateHash)
  if (pending === undefined) throw new AuthorizationRefused('unknown_state')
  try {
    return vault.openRequest(stateHash, pending.sealed)
  } catch (cause) {
    // Its key has been removed meanwhile. Starting again helps.
    throw new AuthorizationRefused('unknown_state', { cause })
  }
}

function assertSameBrowser({ bindingHash }: AuthorizationRequest, binding: string | undefined): void {
  if (bindingHash === null) return
  if (binding === undefined || digest(binding) !== bindingHash) throw new AuthorizationRefused('wrong_browser')
}

/** How long a repeated callback waits for the first: longer than a code exchange may take. */
const FIRST_CALLBACK_MS = 20_000
const POLL_MS = 250

/** Waits for the outcome of the first callback. Without a binding, a repeated callback may come from another browser and is refused. */
async function awaitFirstOutcome(
  { requests, pause }: FinishAuthorizationDependencies,
  stateHash: string,
  { bindingHash }: AuthorizationRequest,
): Promise<URL> {
  if (bindingHash === null) throw new AuthorizationRefused('unknown_state')
  for (let waitedMs = 0; waitedMs <= FIRST_CALLBACK_MS; waitedMs += POLL_MS) {
    const pending = await requests.read(stateHash)
    if (pending?.outcome) return pending.outcome
    if (!pending?.isTaken) break
    await pause(POLL_MS)
  }
  throw new AuthorizationRefused('unknown_state')
}

/** Redeems the code and stores its tokens. @returns the URL to redirect the browser to. */
async function complete(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  response: URLSearchParams,
): Promise<URL> {
  const { log, returnBase, server } = deps
  const { spaceId, returnPath } = request
  try {
    const tokens = await server.exchange(request, response)
    const { stream, workspaceId, isPending, previousConsent } = await connect(deps, request, tokens)
    log.info(isPending ? 'connection.confirmation_pending' : 'connection.authorized', {
      space: spaceId,
      process: stream,
    })
    return returnUrl(returnBase, returnPath, {
      status: 'success',
      spaceId,
      processId: stream,
      workspaceId,
      mcp: isPending ? 'confirmation_required' : 'connected',
      previousConsent,
    })
  } catch (error) {
    return handleFailure(deps, request, error)
  }
}

/** Logs a failed authorization. @returns the URL to redirect the browser to. */
async function handleFailure(
  { log, returnBase, store }: FinishAuthorizationDependencies,
  request: AuthorizationRequest | undefined,
  cause: unknown,
): Promise<URL> {
  const spaceId = request?.spaceId
  const error = errorCode(cause)
  if (error === 'invalid_scope' && spaceId !== undefined) {
    await refuseStepUp(store, spaceId).catch((reason: unknown) => {
      log.warn('connection.step_up_not_stored', { space: spaceId, ...describeError(reason) })
    })
  }
  log.warn('connection.not_authorized', { space: spaceId, outcome: error, ...describeError(cause) })
  return returnUrl(returnBase, request?.returnPath ?? DEFAULT_RETURN_PATH, { status: 'error', error, spaceId })
}

interface Connected {
  readonly stream: string
  readonly workspaceId: string | undefined
  readonly isPending: boolean
  /** Outcome of revoking the replaced grant. */
  readonly previousConsent?: PreviousConsent | undefined
}

/** Stores the consent, then identifies its workspace and revokes the replaced grant. */
async function connect(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  tokens: Tokens,
): Promise<Connected> {
  const { refreshToken, accessToken } = tokens
  const credential = { accessToken, refreshToken, client: request.client }
  const identify = async (): Promise<Workspace> => ({
    ...withoutUndefined(tokens.workspace),
    ...withoutUndefined((accessToken && (await deps.identify(accessToken))) ?? {}),
  })

  const before = await retryWhileUnavailable(deps, () => deps.store.read(request.spaceId))
  if (request.confirmsWorkspace && isInUse(before)) {
    const workspace = await identify()
    // A workspace that could not be identified may be another one.
    if (workspace.id !== before.workspace?.id) {
      await retryWhileUnavailable(deps, () => holdForConfirmation(deps, request, credential, tokens, workspace))
      return { stream: before.stream, workspaceId: workspace.id, isPending: true }
    }
  }

  const replaced = await retryWhileUnavailable(deps, () => append(deps, request, credential, tokens))
  const { stream } = replaced
  const [workspace, previousConsent] = await Promise.all([
    identify(),
    revokeReplaced(deps, replaced, credential),
    replaced.pending &&
      replaced.dataKey &&
      revokePending(deps, replaced, replaced.dataKey, replaced.pending, [credential.client]),
  ])
  await deps.store.nameWorkspace(stream, workspace).catch((error: unknown) => {
    deps.log.warn('workspace.not_named', { space: request.spaceId, ...describeError(error) })
  })
  return { stream, workspaceId: workspace.id, isPending: false, previousConsent }
}

/** True if the connection has a workspace that a new consent would change. After a disconnect, any workspace is accepted. */
const isInUse = ({ connection, workspace }: StoredConnection): boolean =>
  (connection.status === 'connected' || connection.status === 'reconnect_required') && workspace?.id !== undefined

/** Lifetime of a pending authorization. */
const PENDING_MS = 24 * 60 * 60 * 1000

async function holdForConfirmation(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  credential: Credential,
  tokens: Tokens,
  workspace: Workspace,
): Promise<void> {
  const { clock, store, vault } = deps
  const stored = await store.read(request.spaceId)
  const { stream, pending } = stored
  const dataKey = await store.ensureDataKey(stream, () => vault.newDataKey(stream))
  const now = clock()
  const grant = grantOf(request, tokens, now)
  await store.storePendingAuthorization(stream, {
    id: randomUUID(),
    by: request.userId,
    at: now,
    waitsUntil: new Date(now.getTime() + PENDING_MS),
    workspace,
    grant,
    sealed: vault.seal(dataKey, { stream, generation: PENDING_GENERATION, grant }, credential),
    expiresAt: expiryOf(now, tokens),
  })
  if (pending) {
    await revokePending(deps, stored, dataKey, pending, [clientInUse(vault, stored), credential.client])
  }
}

function grantOf({ server, userId }: AuthorizationRequest, tokens: Tokens, now: Date): Grant {
  const { issuer, tokenEndpoint, revocationEndpoint, resource } = server
  const scope = mergeScopes(server.scope, tokens.scope)
  return { issuer, tokenEndpoint, revocationEndpoint, resource, scope, authorizedAt: now, authorizedBy: userId }
}

const APPEND_ATTEMPTS = 20

/** How long each step of storing the consent is retried during a database outage. The code is spent, and the browser waits. */
const STORE_RETRY_MS = 15_000
const STORE_RETRY_PAUSE_MS = 500

/** Retries `work` while the database does not respond. @throws {Failure} `store_unavailable`. */
async function retryWhileUnavailable<T>(
  { pause }: FinishAuthorizationDependencies,
  work: () => Promise<T>,
): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += STORE_RETRY_PAUSE_MS) {
    try {
      return await work()
    } catch (error) {
      const isTransient = error instanceof Failure && error.code === 'store_unavailable'
      // The grant is not revoked on failure, as the database may have stored it nevertheless.
      if (!isTransient || waitedMs >= STORE_RETRY_MS) throw error
      await pause(STORE_RETRY_PAUSE_MS)
    }
  }
}

/** Appends the consent. @returns the previous state of the connection. @throws {Failure} `store_unavailable`. */
async function append(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  credential: Credential,
  tokens: Tokens,
): Promise<StoredConnection> {
  const { clock, store, vault } = deps
  const { spaceId, userId: by } = request
  for (let attempt = 0; attempt < APPEND_ATTEMPTS; attempt++) {
    const stored = await store.read(spaceId)
    const { stream } = stored
    const at = clock()
    const dataKey = stored.dataKey ?? (await store.ensureDataKey(stream, () => vault.newDataKey(stream)))
    const consent = { at, by, grant: grantOf(request, tokens, at), credential, expiresAt: expiryOf(at, tokens) }
    const isStored = await appendAuthorized(deps, stored, dataKey, consent)
    if (isStored) return stored
    // The connection was refreshed or disconnected meanwhile. The new consent takes precedence.
  }
  throw new Failure('store_unavailable', 'The connection is being changed by others at the same time. Try again.')
}

/** Drops undefined members, so that a later spread does not overwrite earlier values with them. */
const withoutUndefined = <T extends object>(members: T): Partial<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>

function errorCode(error: unknown): AuthorizationError {
  if (error instanceof AuthorizationRefused) return error.code
  if (!(error instanceof Failure)) return 'internal'
  return error.code === 'authorization_unavailable' || error.code === 'store_unavailable' ? error.code : 'internal'
}
