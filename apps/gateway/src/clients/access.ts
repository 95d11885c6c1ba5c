import type { Scope } from '@nmg/contract'

/** What authenticated an MCP client: an access key of the gateway, or a token of a trusted authorization server. */
export type ClientCredential =
  | { readonly kind: 'key'; readonly keyId: string }
  | {
      readonly kind: 'token'
      readonly issuer: string
      readonly clientId: string
      /** Grant (one login) that the token belongs to; undefined if the issuer does not include it. */
      readonly grantId: string | undefined
      readonly issuedAt: Date
    }

/** Rights of a user's MCP client: it acts for this user, in this one space, with this scope. */
export interface ClientAccess {
  readonly spaceId: string
  readonly userId: string
  readonly scope: Scope
  readonly credential: ClientCredential
}

/** Identifies a client among the clients of its user. Includes the issuer, because two issuers may assign the same client ID. */
export function clientIdentity(credential: ClientCredential): string {
  return credential.kind === 'key' ? `key ${credential.keyId}` : `client ${credential.issuer} ${credential.clientId}`
}

/** Identifies a principal (user, space and client), for rate limits and activity. IDs contain no line feeds. */
export function principalIdentity({ spaceId, userId, credential }: ClientAccess): string {
  return `${spaceId}\n${userId}\n${clientIdentity(credential)}`
}

/** The widest supported scope of a list; unknown scopes are ignored. */
export function widestScope(scopes: readonly string[]): Scope | undefined {
  if (scopes.includes('notion:write')) return 'notion:write'
  return scopes.includes('notion:read') ? 'notion:read' : undefined
}

/** Accepted difference between the clock of a token's issuer and the database's clock, in seconds. */
export const TOKEN_CLOCK_TOLERANCE_SECONDS = 60
