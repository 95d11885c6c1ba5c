import type { Scope } from '@nmg/contract'

/** What proved a client: a key that the gateway gave out, or a token of an authorization server that it trusts. */
export type ClientCredential =
  | { readonly kind: 'key'; readonly keyId: string }
  | {
      readonly kind: 'token'
      readonly issuer: string
      readonly clientId: string
      /** The login that the token is of, where its issuer says so. */
      readonly grantId: string | undefined
      readonly issuedAt: Date
    }

/** What a person's MCP client may do: for this person, in this one space, up to this scope. */
export interface ClientAccess {
  readonly spaceId: string
  readonly userId: string
  readonly scope: Scope
  readonly credential: ClientCredential
}

/** Tells a person's clients apart. Two issuers may have given out the same client id. */
export function clientName(credential: ClientCredential): string {
  return credential.kind === 'key' ? `key ${credential.keyId}` : `client ${credential.issuer} ${credential.clientId}`
}

/** One name for who acts: what is counted or noted for one is not for another. Ids hold no line feeds. */
export function principalName({ spaceId, userId, credential }: ClientAccess): string {
  return `${spaceId}\n${userId}\n${clientName(credential)}`
}

/** Access that ended before its time: that of one key, or that of a person to a space, all of it, one client's, or one grant's. */
export type Revoked =
  | { readonly keyId: string }
  | {
      readonly spaceId: string
      readonly userId: string
      readonly clientId: string | undefined
      readonly grantId: string | undefined
    }

/** Whether this access has ended with it. */
export function isEndedBy({ spaceId, userId, credential }: ClientAccess, revoked: Revoked): boolean {
  if ('keyId' in revoked) return credential.kind === 'key' && credential.keyId === revoked.keyId
  if (spaceId !== revoked.spaceId || userId !== revoked.userId) return false
  const { clientId, grantId } = revoked
  if (clientId === undefined && grantId === undefined) return true
  if (credential.kind === 'key') return false
  const isOfClient = clientId === undefined || credential.clientId === clientId
  if (grantId === undefined) return isOfClient
  // A token that names no grant may be of any grant of its client.
  return credential.grantId === undefined ? clientId !== undefined && isOfClient : credential.grantId === grantId
}

/** The widest scope of a list; other scopes in it are none of ours. */
export function widestScope(scopes: readonly string[]): Scope | undefined {
  if (scopes.includes('notion:write')) return 'notion:write'
  return scopes.includes('notion:read') ? 'notion:read' : undefined
}

/** How far the clock of an access token's issuer may be from the database's, in seconds. */
export const TOKEN_CLOCK_TOLERANCE_SECONDS = 60
