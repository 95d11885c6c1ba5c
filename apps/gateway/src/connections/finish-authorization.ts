import type { AuthorizationError, PreviousConsent } from '@nmg/contract'
import { randomUUID } from 'node:crypto'
import { clientInUse, revokeReplaced, revokeWaiting } from './revoke-consent.ts'
import { WAITING_GENERATION, type Grant } from './connection.ts'
import { DEFAULT_RETURN_PATH, returnUrl } from './return-path.ts'
import { unionOf } from './oauth/scope.ts'
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
import { askForLess } from './request-scope.ts'

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
 * Completes the authorization that the response's state belongs to, and returns where to send the browser. Never throws: whatever goes wrong, the
 * person comes back to the application with an error code.
 *
 * The state is taken only by the browser that holds the binding. A repeated callback of that browser gets the outcome of the first.
 *
 * @param response the query of the callback; untrusted.
 * @param binding the cookie of the browser; untrusted.
 */
export async function finishAuthorization(
  deps: FinishAuthorizationDependencies,
  response: URLSearchParams,
  binding: string | undefined,
): Promise<URL> {
  let request: AuthorizationRequest | undefined
  try {
    const stateHash = stateHashOf(response)
    request = await requestOf(deps, stateHash)
    assertSameBrowser(request, binding)
    if (!(await deps.requests.take(stateHash))) return await outcomeOfFirst(deps, stateHash, request)
    const outcome = await complete(deps, request, response)
    await deps.requests.finish(stateHash, outcome).catch((error: unknown) => {
      deps.log.warn('authorization.outcome_not_kept', { space: request?.spaceId, ...describeError(error) })
    })
    return outcome
  } catch (error) {
    return failed(deps, request, error)
  }
}

function stateHashOf(response: URLSearchParams): string {
  const [state, ...others] = response.getAll('state')
  if (!state || others.length > 0) throw new AuthorizationRefused('unknown_state')
  return digest(state)
}

async function requestOf(
  { requests, vault }: FinishAuthorizationDependencies,
  stateHash: string,
): Promise<AuthorizationRequest> {
  const pending = await requests.read(stateHash)
  if (pending === undefined) throw new AuthorizationRefused('unknown_state')
  try {
    return vault.openRequest(stateHash, pending.sealed)
  } catch (cause) {
    // Sealed with a key that has been replaced meanwhile: starting again helps.
    throw new AuthorizationRefused('unknown_state', { cause })
  }
}

function assertSameBrowser({ bindingHash }: AuthorizationRequest, binding: string | undefined): void {
  if (bindingHash === null) return
  if (binding === undefined || digest(binding) !== bindingHash) throw new AuthorizationRefused('wrong_browser')
}

/** How long a repeated callback waits for the first: longer than a code exchange may take. */
const FIRST_TAKES_MS = 20_000
const POLL_MS = 250

/** Without a binding, nobody knows whether it is the same browser that comes again. */
async function outcomeOfFirst(
  { requests, pause }: FinishAuthorizationDependencies,
  stateHash: string,
  { bindingHash }: AuthorizationRequest,
): Promise<URL> {
  if (bindingHash === null) throw new AuthorizationRefused('unknown_state')
  for (let waitedMs = 0; waitedMs <= FIRST_TAKES_MS; waitedMs += POLL_MS) {
    const pending = await requests.read(stateHash)
    if (pending?.outcome) return pending.outcome
    if (!pending?.isTaken) break
    await pause(POLL_MS)
  }
  throw new AuthorizationRefused('unknown_state')
}

/** Redeems the code and stores what it brings. @returns where to send the browser. */
async function complete(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  response: URLSearchParams,
): Promise<URL> {
  const { log, returnBase, server } = deps
  const { spaceId, returnPath } = request
  try {
    const tokens = await server.exchange(request, response)
    const { stream, workspaceId, isWaiting, previousConsent } = await connect(deps, request, tokens)
    log.info(isWaiting ? 'connection.waits_for_confirmation' : 'connection.authorized', {
      space: spaceId,
      process: stream,
    })
    return returnUrl(returnBase, returnPath, {
      status: 'success',
      spaceId,
      processId: stream,
      workspaceId,
      mcp: isWaiting ? 'confirmation_required' : 'connected',
      previousConsent,
    })
  } catch (error) {
    return failed(deps, request, error)
  }
}

/** Where the browser goes when the authorization did not complete. */
async function failed(
  { log, returnBase, store }: FinishAuthorizationDependencies,
  request: AuthorizationRequest | undefined,
  cause: unknown,
): Promise<URL> {
  const spaceId = request?.spaceId
  const error = errorCode(cause)
  if (error === 'invalid_scope' && spaceId !== undefined) {
    await askForLess(store, spaceId).catch((reason: unknown) => {
      log.warn('connection.scope_not_kept', { space: spaceId, ...describeError(reason) })
    })
  }
  log.warn('connection.not_authorized', { space: spaceId, outcome: error, ...describeError(cause) })
  return returnUrl(returnBase, request?.returnPath ?? DEFAULT_RETURN_PATH, { status: 'error', error, spaceId })
}

interface Connected {
  readonly stream: string
  readonly workspaceId: string | undefined
  readonly isWaiting: boolean
  /** What became of the grant that this consent replaced. */
  readonly previousConsent?: PreviousConsent | undefined
}

/** Stores the consent, then asks Notion which workspace it reaches, and revokes the grant that it replaces. */
async function connect(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  tokens: Tokens,
): Promise<Connected> {
  const { refreshToken, accessToken } = tokens
  const credential = { accessToken, refreshToken, client: request.client }
  const identified = async (): Promise<Workspace> => ({
    ...known(tokens.workspace),
    ...known((accessToken && (await deps.identify(accessToken))) ?? {}),
  })

  const before = await insist(deps, () => deps.store.read(request.spaceId))
  if (request.confirmsWorkspace && isInUse(before)) {
    const workspace = await identified()
    // One that nobody could name may be another, too.
    if (workspace.id !== before.workspace?.id) {
      await insist(deps, () => park(deps, request, credential, tokens, workspace))
      return { stream: before.stream, workspaceId: workspace.id, isWaiting: true }
    }
  }

  const replaced = await insist(deps, () => append(deps, request, credential, tokens))
  const { stream } = replaced
  const [workspace, previousConsent] = await Promise.all([
    identified(),
    revokeReplaced(deps, replaced, credential),
    replaced.waiting &&
      replaced.dataKey &&
      revokeWaiting(deps, replaced, replaced.dataKey, replaced.waiting, [credential.client]),
  ])
  await deps.store.nameWorkspace(stream, workspace).catch((error: unknown) => {
    deps.log.warn('workspace.not_named', { space: request.spaceId, ...describeError(error) })
  })
  return { stream, workspaceId: workspace.id, isWaiting: false, previousConsent }
}

/** A connection whose workspace people work with, or did until its grant was lost. After a disconnect, any workspace is as good. */
const isInUse = ({ connection, workspace }: StoredConnection): boolean =>
  (connection.status === 'connected' || connection.status === 'reconnect_required') && workspace?.id !== undefined

/** How long a consent waits: somebody may have to be asked. */
const WAITS_MS = 24 * 60 * 60 * 1000

async function park(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  credential: Credential,
  tokens: Tokens,
  workspace: Workspace,
): Promise<void> {
  const { clock, store, vault } = deps
  const stored = await store.read(request.spaceId)
  const { stream, waiting } = stored
  const dataKey = await store.ensureDataKey(stream, () => vault.newDataKey(stream))
  const now = clock()
  const grant = grantOf(request, tokens, now)
  await store.park(stream, {
    id: randomUUID(),
    by: request.userId,
    at: now,
    waitsUntil: new Date(now.getTime() + WAITS_MS),
    workspace,
    grant,
    sealed: vault.seal(dataKey, { stream, generation: WAITING_GENERATION, grant }, credential),
    expiresAt: expiryOf(now, tokens),
  })
  if (waiting) {
    await revokeWaiting(deps, stored, dataKey, waiting, [clientInUse(vault, stored), credential.client])
  }
}

function grantOf({ server, userId }: AuthorizationRequest, tokens: Tokens, now: Date): Grant {
  const { issuer, tokenEndpoint, revocationEndpoint, resource } = server
  const scope = unionOf(server.scope, tokens.scope)
  return { issuer, tokenEndpoint, revocationEndpoint, resource, scope, authorizedAt: now, authorizedBy: userId }
}

const APPEND_ATTEMPTS = 20

/** How long each step of storing the consent is tried while the database does not respond: the code is spent, and the browser waits. */
const STORING_PATIENCE_MS = 15_000
const STORING_PAUSE_MS = 500

/** Does this until the database responds. @throws {Failure} `store_unavailable`. */
async function insist<T>({ pause }: FinishAuthorizationDependencies, work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += STORING_PAUSE_MS) {
    try {
      return await work()
    } catch (error) {
      const isPassing = error instanceof Failure && error.code === 'store_unavailable'
      // Not revoked when it fails: the database may have stored it all the same.
      if (!isPassing || waitedMs >= STORING_PATIENCE_MS) throw error
      await pause(STORING_PAUSE_MS)
    }
  }
}

/** @returns the connection as it was before. @throws {Failure} `store_unavailable`. */
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
    // A refresh or a disconnect came in between; a consent that a person has just given stands above either.
  }
  throw new Failure('store_unavailable', 'The connection changes too fast to be stored. Try again.')
}

const known = <T extends object>(members: T): Partial<T> =>
  // Keeps the type of T and drops what is undefined, so that a later spread does not overwrite.
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>

function errorCode(error: unknown): AuthorizationError {
  if (error instanceof AuthorizationRefused) return error.code
  if (!(error instanceof Failure)) return 'internal'
  return error.code === 'authorization_unavailable' || error.code === 'store_unavailable' ? error.code : 'internal'
}
