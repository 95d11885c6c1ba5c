import { createHash, randomBytes } from 'node:crypto'
import type { AuthorizationStart } from '@nmg/contract'
import type { ReturnPath } from './return-path.ts'
import { mergeScopes } from './oauth/scope.ts'
import type { Log } from '../platform/log.ts'
import type { AuthorizationRequests, RegistrationLimit } from './authorization-requests.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServerInfo } from './oauth/discovery.ts'
import type { ClientRegistration } from './credential.ts'
import type { Vault } from './vault.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'
import { Secret } from '../platform/secret.ts'
import { STEP_UP_REFUSED } from './step-up.ts'

export interface StartAuthorizationDependencies {
  readonly log: Log
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly server: AuthorizationServer
  readonly requests: AuthorizationRequests
  readonly registrations: RegistrationLimit
  readonly stateTtlSeconds: number
}

export interface StartAuthorization {
  readonly spaceId: string
  readonly userId: string
  readonly returnPath: ReturnPath
  readonly binding: string | undefined
  /** Hold a consent for another workspace than before until a user confirms it. */
  readonly confirmsWorkspace: boolean
}

/**
 * Starts an authorization: the URL to redirect the browser to, and the state of the authorization response.
 *
 * @throws {Failure} `authorization_unavailable`, `authorization_refused`, `store_unavailable`; `rate_limited` after ten within an hour.
 */
export async function startAuthorization(
  deps: StartAuthorizationDependencies,
  start: StartAuthorization,
): Promise<AuthorizationStart> {
  // Discovered each time: a reconnect may be necessary because the authorization server has moved.
  const [found, stored] = await Promise.all([deps.server.discover(), deps.store.read(start.spaceId)])
  const server = { ...found, scope: deps.server.fixedScope ?? requestedScope(found, stored) }
  await deps.store.ensureDataKey(stored.stream, () => deps.vault.newDataKey(stored.stream))
  const state = randomBytes(32).toString('base64url')
  const stateHash = digest(state)
  // Do not register a client while the request cannot be stored.
  await deps.requests.read(stateHash)
  const client = deps.server.preregisteredClient(server) ?? (await register(deps, server, stored))

  const codeVerifier = new Secret(randomBytes(32).toString('base64url'))
  const { spaceId, userId, returnPath, binding, confirmsWorkspace } = start
  const bindingHash = binding === undefined ? null : digest(binding)
  const sealed = deps.vault.sealRequest(stateHash, {
    spaceId,
    userId,
    returnPath,
    codeVerifier,
    bindingHash,
    confirmsWorkspace,
    client,
    server,
  })
  await deps.requests.save(stateHash, sealed, deps.stateTtlSeconds)

  const url = await deps.server.authorizationUrl(server, client, state, codeVerifier)
  return { authorizeUrl: url.href, state }
}

/**
 * Registers a client for one consent. Authorization servers delete registrations, which the gateway could only notice after a user has reached
 * their error page; and a grant can be revoked without harm to its successor only if their clients differ.
 */
async function register(
  { log, server, registrations }: StartAuthorizationDependencies,
  info: AuthorizationServerInfo,
  { stream }: StoredConnection,
): Promise<ClientRegistration> {
  await registrations.consume(stream)
  try {
    const client = await server.register(info)
    log.info('client.registered', { stream, issuer: info.issuer })
    return client
  } catch (error) {
    // A failed registration must not count against the next attempt.
    await registrations.refund(stream)
    throw error
  }
}

/** The scopes of the server's metadata, of the current grant and of the step-up, since a consent replaces the previous one. */
function requestedScope({ scope, issuer }: AuthorizationServerInfo, stored: StoredConnection): string | null {
  const { connection, stepUpScope } = stored
  const isOngoing = connection.status === 'connected' || connection.status === 'reconnect_required'
  // Another server may not know these scopes.
  if (!isOngoing || connection.grant.issuer !== issuer || stepUpScope === STEP_UP_REFUSED) return scope
  return mergeScopes(scope, connection.grant.scope, stepUpScope)
}

/** SHA-256, base64url: states and bindings are stored hashed. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')
