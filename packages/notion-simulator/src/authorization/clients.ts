import { SECOND, type SimulatorClock } from '../clock.ts'
import type { Options } from '../options.ts'
import { hashSecret, randomString, sameSecret, type IssuedSecrets } from '../secrets.ts'

export type AuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post'

/** A registered OAuth client. */
export type Client = {
  id: string
  name?: string
  uri?: string
  authMethod: AuthMethod
  /** Whether the client named its method. Otherwise it may send its secret with both methods. */
  isAuthMethodNamed: boolean
  grantTypes: readonly string[]
  responseTypes: readonly string[]
  redirectUris: readonly string[]
  secretHash?: string
  /** Milliseconds since the epoch. */
  registeredAt: number
  /** The registration is deleted then; absent for an unlimited one. */
  expiresAt?: number
}

/** The dynamically registered clients. */
export type Clients = {
  register(registration: Omit<Client, 'id' | 'secretHash' | 'registeredAt' | 'expiresAt'>): {
    client: Client
    secret?: string
  }
  /** Undefined for unknown and expired registrations. */
  find(id: string): Client | undefined
  all(): Client[]
  /** Deletes this client, or all. Their grants remain, as upstream. */
  forget(id?: string): number
}

export function clientRegistry(clock: SimulatorClock, options: Options, issuedSecrets: IssuedSecrets): Clients {
  const clients = new Map<string, Client>()
  return {
    register(registration) {
      const now = clock.now()
      const client: Client = {
        ...registration,
        id: randomString(16),
        registeredAt: now,
        ...(options.clientTtlSeconds !== null && { expiresAt: now + options.clientTtlSeconds * SECOND }),
      }
      clients.set(client.id, client)
      if (client.authMethod === 'none') return { client }
      const secret = issuedSecrets.add({ kind: 'client_secret', value: randomString(32), clientId: client.id })
      client.secretHash = hashSecret(secret)
      return { client, secret }
    },
    find(id) {
      const client = clients.get(id)
      if (client?.expiresAt !== undefined && clock.now() >= client.expiresAt) {
        clients.delete(id)
        return undefined
      }
      return client
    },
    all: () => [...clients.values()],
    forget(id) {
      if (id !== undefined) return clients.delete(id) ? 1 : 0
      const forgotten = clients.size
      clients.clear()
      return forgotten
    },
  }
}

/** Compares the secret with that of the client. */
export function hasSecret(client: Client, secret: string): boolean {
  return client.secretHash !== undefined && sameSecret(hashSecret(secret), client.secretHash)
}

/** Loopback hosts (RFC 8252 §7.3). */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** True if the redirect URI is registered; with `loopback-any-port`, loopback URIs match on any port. */
export function allowsRedirect(client: Client, redirectUri: string, matching: Options['redirectMatching']): boolean {
  if (client.redirectUris.includes(redirectUri)) return true
  if (matching === 'exact' || !URL.canParse(redirectUri)) return false
  const requested = new URL(redirectUri)
  return client.redirectUris.some((uri) => {
    if (!URL.canParse(uri)) return false
    const registered = new URL(uri)
    return (
      isLoopback(requested) &&
      isLoopback(registered) &&
      requested.protocol === registered.protocol &&
      requested.hostname === registered.hostname &&
      requested.pathname === registered.pathname &&
      requested.search === registered.search
    )
  })
}
