import type { ClientAccess, Revoked } from './access.ts'
import type { Scope } from '@nmg/contract'

/** A key as it is kept: its hash, and what it stands for. */
export interface StoredAccessKey {
  readonly id: string
  /** SHA-256. */
  readonly hash: Buffer
  readonly name: string
  readonly spaceId: string
  readonly userId: string
  readonly scope: Scope
  readonly createdAt: Date
  readonly expiresAt: Date | null
  /** To the minute. */
  readonly lastUsedAt: Date | null
}

/** The keys of MCP clients. @throws {Failure} `store_unavailable`, all of them. */
export interface AccessKeyStore {
  add(key: Omit<StoredAccessKey, 'createdAt' | 'lastUsedAt'>): Promise<StoredAccessKey>
  find(hash: Buffer): Promise<StoredAccessKey | undefined>
  exists(id: string): Promise<boolean>
  /** Newest first. */
  list(spaceId: string, userId: string | undefined): Promise<StoredAccessKey[]>
  /** Tells all replicas. A key of another space or person than the one named, if one is, stays. */
  remove(id: string, of: { readonly spaceId: string | undefined; readonly userId: string | undefined }): Promise<void>
}

/** Access that was ended before its time. @throws {Failure} `store_unavailable`. */
export interface Revocations {
  /** Durable before it resolves, and then on its way to all replicas. Without a client or a grant, the person's keys to the space go as well. */
  add(revoked: Exclude<Revoked, { readonly keyId: string }>): Promise<void>
  /** The spaces of these in which such tokens have been revoked, and up to when they must have been issued for that. */
  of(
    spaceIds: readonly string[],
    userId: string,
    token: { readonly clientId: string; readonly grantId: string | undefined },
  ): Promise<{ spaceId: string; at: Date }[]>
}

/** What a client said of itself when it called. */
export interface ClientInfo {
  /** What it calls itself; empty when it did not say. */
  readonly name: string
  readonly version: string | undefined
  readonly era: '2025' | '2026'
  /** Whether it can send its person to a URL; undefined when it did not say. */
  readonly takesUrls: boolean | undefined
}

export interface ClientActivityRecord extends Omit<ClientInfo, 'takesUrls'> {
  readonly clientId: string | undefined
  readonly keyId: string | undefined
  readonly userId: string
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

/** Which clients called, and when about. */
export interface ClientActivity {
  /** Without a clientInfo, the client that was seen last with this access called again. */
  note(access: ClientAccess, clientInfo: ClientInfo | undefined): Promise<void>
  list(spaceId: string, userId: string | undefined): Promise<ClientActivityRecord[]>
  /** What the client said last, with `initialize`. */
  takesUrls(access: ClientAccess): Promise<boolean>
}

/** A token of a trusted issuer, its signature and all of its claims checked. */
export interface VerifiedToken {
  readonly issuer: string
  readonly clientId: string
  /** RefreshLock `grant_id`: the login that the token is of; undefined where the issuer does not say. */
  readonly grantId: string | undefined
  readonly userId: string
  /** One, or those that a company's directory names. */
  readonly spaceIds: readonly string[]
  readonly scope: Scope | undefined
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** False once the issuer's keys have changed: then it must be verified again. Synchronous and without a request. */
  isCurrent(): boolean
}

export interface TokenVerifier {
  /**
   * @param resource the URL that the token must have been issued for.
   * @throws {Failure} `unauthenticated`; `authorization_unavailable` when the issuer's keys cannot be had.
   */
  verify(token: string, resource: string): Promise<VerifiedToken>
}
