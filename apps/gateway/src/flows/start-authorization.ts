import { createHash, randomBytes } from 'node:crypto'
import type { AuthorizationStart } from '@nmg/contract'
import type { ReturnPath } from '../domain/return-path.ts'
import { unionOf } from '../domain/upstream-scope.ts'
import { describeError, type Log } from '../log.ts'
import type {
  AuthorizationRequests,
  AuthorizationServer,
  AuthorizationServerInfo,
  ClientRegistration,
  ClientRegistrations,
  Clock,
  ConnectionStore,
  StoredConnection,
  Vault,
  WrappedDataKey,
} from '../ports.ts'
import { Secret } from '../secret.ts'
import { ASKING_WAS_REFUSED } from './want-scope.ts'

export interface StartAuthorizationDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly server: AuthorizationServer
  readonly requests: AuthorizationRequests
  readonly registrations: ClientRegistrations
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
 * @throws {Failure} `authorization_unavailable`, `authorization_refused`, `store_unavailable`.
 */
export async function startAuthorization(
  deps: StartAuthorizationDependencies,
  start: StartAuthorization,
): Promise<AuthorizationStart> {
  // Discovered anew each time: whoever reconnects may do so because the authorization server has moved.
  const [found, stored] = await Promise.all([deps.server.discover(), deps.store.read(start.spaceId)])
  const server = { ...found, scope: deps.server.fixedScope ?? scopeToAsk(found, stored) }
  const dataKey = await deps.store.ensureDataKey(stored.stream, () => deps.vault.newDataKey(stored.stream))
  const client = deps.server.readyClient(server) ?? (await registration(deps, server, stored, dataKey))

  const state = randomBytes(32).toString('base64url')
  const codeVerifier = new Secret(randomBytes(32).toString('base64url'))
  const { spaceId, userId, returnPath, binding, confirmsWorkspace } = start
  const bindingHash = binding === undefined ? null : digest(binding)
  const stateHash = digest(state)
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

/** What the server names, what this connection has, and what calls were refused for want of: a consent replaces the one before. */
function scopeToAsk({ scope, issuer }: AuthorizationServerInfo, stored: StoredConnection): string | null {
  const { connection, wantedScope } = stored
  const isOngoing = connection.status === 'connected' || connection.status === 'reconnect_required'
  // Another server may not know what this one named.
  if (!isOngoing || connection.grant.issuer !== issuer || wantedScope === ASKING_WAS_REFUSED) return scope
  return unionOf(scope, connection.grant.scope, wantedScope)
}

/** SHA-256, base64url: what is stored of a state or a binding, so that neither can be read from the database. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

/**
 * Authorization servers may forget registered clients (90 days is a common default). A client that was not proven lately by a working
 * connection is not used for a new consent: the person would end on an error page of the server.
 */
const UNPROVEN_CLIENT_LIFE_MS = 30 * 24 * 60 * 60 * 1000

/** The connection's client registration: the one it has, as long as it is likely to be known still, else a new one. */
async function registration(
  { clock, log, vault, server, registrations }: StartAuthorizationDependencies,
  info: AuthorizationServerInfo,
  { stream, connection }: StoredConnection,
  dataKey: WrappedDataKey,
): Promise<ClientRegistration> {
  const place = { stream, issuer: info.issuer, redirectUri: server.redirectUri }
  const known = await registrations.read(stream, info.issuer, server.redirectUri)
  const isLost = connection.status === 'reconnect_required' && connection.reason === 'client_lost'
  if (known && !isLost) {
    const ageMs = clock().getTime() - known.registeredAt.getTime()
    if (connection.status === 'connected' || ageMs < UNPROVEN_CLIENT_LIFE_MS) {
      try {
        return vault.openClient(dataKey, place, known.sealed)
      } catch (error) {
        log.warn('client.registration_unreadable', { stream, ...describeError(error) })
      }
    }
  }
  const client = await server.register(info)
  await registrations.save(stream, info.issuer, server.redirectUri, vault.sealClient(dataKey, place, client))
  log.info('client.registered', { stream, issuer: info.issuer })
  return client
}
