import { createHash, randomBytes } from 'node:crypto'
import type { AuthorizationStart } from '@nmg/contract'
import type { ReturnPath } from './return-path.ts'
import { unionOf } from './oauth/scope.ts'
import type { Log } from '../platform/log.ts'
import type { AuthorizationRequests, RegistrationLimit } from './authorization-requests.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServerInfo } from './oauth/discovery.ts'
import type { ClientRegistration } from './credential.ts'
import type { Vault } from './vault.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'
import { Secret } from '../platform/secret.ts'
import { ASKING_WAS_REFUSED } from './request-scope.ts'

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
  /** Whether a consent that reaches another workspace than before waits until a person confirms it. */
  readonly confirmsWorkspace: boolean
}

/**
 * Where to send the browser so that a person can consent, and the state that their answer will carry.
 *
 * @throws {Failure} `authorization_unavailable`, `authorization_refused`, `store_unavailable`; `rate_limited` after ten within an hour.
 */
export async function startAuthorization(
  deps: StartAuthorizationDependencies,
  start: StartAuthorization,
): Promise<AuthorizationStart> {
  // Discovered anew each time: whoever reconnects may do so because the authorization server has moved.
  const [found, stored] = await Promise.all([deps.server.discover(), deps.store.read(start.spaceId)])
  const server = { ...found, scope: deps.server.fixedScope ?? scopeToAsk(found, stored) }
  await deps.store.ensureDataKey(stored.stream, () => deps.vault.newDataKey(stored.stream))
  const state = randomBytes(32).toString('base64url')
  const stateHash = digest(state)
  // Where the request could not be kept, no client is registered for it.
  await deps.requests.read(stateHash)
  const client = deps.server.readyClient(server) ?? (await register(deps, server, stored))

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
 * Each consent has a registration of its own. Authorization servers forget registrations, and nobody notices before a person has ended on an error
 * page of theirs; and a grant can be revoked without harm to its successor only when the two have different clients.
 */
async function register(
  { log, server, registrations }: StartAuthorizationDependencies,
  info: AuthorizationServerInfo,
  { stream }: StoredConnection,
): Promise<ClientRegistration> {
  await registrations.count(stream)
  try {
    const client = await server.register(info)
    log.info('client.registered', { stream, issuer: info.issuer })
    return client
  } catch (error) {
    // A failed registration must not count against the next attempt.
    await registrations.uncount(stream)
    throw error
  }
}

/** What the server names, what this connection has, and what calls were refused for want of: a consent replaces the one before. */
function scopeToAsk({ scope, issuer }: AuthorizationServerInfo, stored: StoredConnection): string | null {
  const { connection, stepUpScope } = stored
  const isOngoing = connection.status === 'connected' || connection.status === 'reconnect_required'
  // Another server may not know what this one named.
  if (!isOngoing || connection.grant.issuer !== issuer || stepUpScope === ASKING_WAS_REFUSED) return scope
  return unionOf(scope, connection.grant.scope, stepUpScope)
}

/** SHA-256, base64url: what is stored of a state or a binding, so that neither can be read from the database. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')
