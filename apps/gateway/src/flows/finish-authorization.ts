import type { AuthorizationError } from '@nmg/contract'
import { randomUUID } from 'node:crypto'
import { WAITING_GENERATION, type Grant } from '../domain/connection.ts'
import { DEFAULT_RETURN_PATH, returnUrl, type ReturnPath } from '../domain/return-path.ts'
import { unionOf } from '../domain/upstream-scope.ts'
import { Failure } from '../failure.ts'
import { describeError, type Log } from '../log.ts'
import {
  AuthorizationRefused,
  type AuthorizationRequest,
  type AuthorizationRequests,
  type AuthorizationServer,
  type Clock,
  type ConnectionStore,
  type Credential,
  type IdentifyWorkspace,
  type StoredConnection,
  type Tokens,
  type Vault,
  type Workspace,
} from '../ports.ts'
import { appendAuthorized } from './append-authorized.ts'
import { expiryOf } from './opened-credential.ts'
import { digest } from './start-authorization.ts'
import { askForLess } from './want-scope.ts'

export interface FinishAuthorizationDependencies {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly server: AuthorizationServer
  readonly requests: AuthorizationRequests
  readonly identify: IdentifyWorkspace
  readonly returnBase: URL
}

/**
 * Takes the authorization response and answers where to send the browser. Never throws: whatever goes wrong, the person comes back to the
 * application with an error code.
 *
 * @param response the query of the callback; untrusted.
 * @param binding the cookie of the browser that came; untrusted.
 */
export async function finishAuthorization(
  deps: FinishAuthorizationDependencies,
  response: URLSearchParams,
  binding: string | undefined,
): Promise<URL> {
  const { log, returnBase } = deps
  let returnPath: ReturnPath = DEFAULT_RETURN_PATH
  let spaceId: string | undefined
  try {
    const request = await take(deps, response)
    returnPath = request.returnPath
    spaceId = request.spaceId
    if (request.bindingHash !== null && (binding === undefined || digest(binding) !== request.bindingHash)) {
      throw new AuthorizationRefused('wrong_browser')
    }
    const tokens = await deps.server.exchange(request, response)
    const { stream, workspaceId, isWaiting } = await connect(deps, request, tokens)
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
    })
  } catch (error) {
    const code = errorCode(error)
    if (code === 'invalid_scope' && spaceId !== undefined) {
      await askForLess(deps.store, spaceId).catch((cause: unknown) => {
        log.warn('connection.scope_not_kept', { space: spaceId, ...describeError(cause) })
      })
    }
    log.warn('connection.not_authorized', { space: spaceId, outcome: code, ...describeError(error) })
    return returnUrl(returnBase, returnPath, { status: 'error', error: code, spaceId })
  }
}

async function take(
  { requests, vault }: FinishAuthorizationDependencies,
  response: URLSearchParams,
): Promise<AuthorizationRequest> {
  const [state, ...others] = response.getAll('state')
  if (!state || others.length > 0) throw new AuthorizationRefused('unknown_state')
  const stateHash = digest(state)
  const sealed = await requests.take(stateHash)
  if (sealed === undefined) throw new AuthorizationRefused('unknown_state')
  return vault.openRequest(stateHash, sealed)
}

/** Stores the consent, then asks Notion which workspace it reaches, then lets go of the grant it replaces. */
async function connect(
  deps: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  tokens: Tokens,
): Promise<{ stream: string; workspaceId: string | undefined; isWaiting: boolean }> {
  const { refreshToken, accessToken } = tokens
  const credential = { accessToken, refreshToken, client: request.client }

  const before = await deps.store.read(request.spaceId)
  if (request.confirmsWorkspace && isInUse(before)) {
    const workspace = { ...known(tokens.workspace), ...known((await deps.identify(accessToken)) ?? {}) }
    // One that nobody could name may be another, too.
    if (workspace.id !== before.workspace?.id) {
      await park(deps, request, credential, tokens, workspace)
      return { stream: before.stream, workspaceId: workspace.id, isWaiting: true }
    }
  }

  const replaced = await append(deps, request, credential, tokens)
  const { stream } = replaced
  const [identified] = await Promise.all([deps.identify(accessToken), revokeReplaced(deps, replaced, credential)])
  const workspace = { ...known(tokens.workspace), ...known(identified ?? {}) }
  await deps.store.nameWorkspace(stream, workspace).catch((error: unknown) => {
    deps.log.warn('workspace.not_named', { space: request.spaceId, ...describeError(error) })
  })
  return { stream, workspaceId: workspace.id, isWaiting: false }
}

/** A connection whose workspace people work with, or did until its grant was lost. After a disconnect, any workspace is as good. */
const isInUse = ({ connection, workspace }: StoredConnection): boolean =>
  (connection.status === 'connected' || connection.status === 'reconnect_required') && workspace?.id !== undefined

/** How long a consent waits: somebody may have to be asked. */
const WAITS_MS = 24 * 60 * 60 * 1000

async function park(
  { clock, store, vault }: FinishAuthorizationDependencies,
  request: AuthorizationRequest,
  credential: Credential,
  tokens: Tokens,
  workspace: Workspace,
): Promise<void> {
  const { stream } = await store.read(request.spaceId)
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
}

function grantOf({ server, userId }: AuthorizationRequest, tokens: Tokens, now: Date): Grant {
  const { issuer, tokenEndpoint, revocationEndpoint, resource } = server
  const scope = unionOf(server.scope, tokens.scope)
  return { issuer, tokenEndpoint, revocationEndpoint, resource, scope, authorizedAt: now, authorizedBy: userId }
}

const APPEND_ATTEMPTS = 20

/** @returns the connection as it was before. */
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

/**
 * Ends the grant that this consent replaces, best effort. Not one of the same client: an authorization server may treat the new consent as
 * the old grant's successor, and ends the old one by itself.
 */
export async function revokeReplaced(
  { vault, server, log }: Pick<FinishAuthorizationDependencies, 'vault' | 'server' | 'log'>,
  { stream, spaceId, connection, dataKey }: StoredConnection,
  { client }: Credential,
): Promise<void> {
  if (connection.status !== 'connected' || !dataKey) return
  try {
    const { generation, sealed } = connection.credential
    const old = vault.open(dataKey, { stream, generation, grant: connection.grant }, sealed)
    if (old.client.clientId === client.clientId) return
    log.info('connection.replaced', { space: spaceId, revocation: await server.revoke(connection.grant, old) })
  } catch (error) {
    log.warn('connection.replaced', { space: spaceId, revocation: 'failed', ...describeError(error) })
  }
}

const known = <T extends object>(members: T): Partial<T> =>
  // Keeps the type of T and drops what is undefined, so that a later spread does not overwrite.
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>

function errorCode(error: unknown): AuthorizationError {
  if (error instanceof AuthorizationRefused) return error.code
  return error instanceof Failure && error.code === 'authorization_unavailable'
    ? 'authorization_unavailable'
    : 'internal'
}
