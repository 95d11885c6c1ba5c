import type { Connection, ConnectionEvent, Grant } from './connection.ts'
import type { Workspace } from './credential.ts'
import type { WrappedDataKey } from './vault.ts'
import type { Degraded } from './degraded.ts'

/**
 * Written before a refresh token is sent: the holder of `fencingToken` is about to redeem `generation`. If the next holder of the refresh lock
 * finds it, the outcome may be in doubt.
 */
export interface RefreshIntent {
  readonly generation: number
  readonly fencingToken: string
  /** Times this generation's token was sent without a readable response, including an attempt in flight. */
  readonly inDoubt: number
  /** Consecutive attempts without a decision, for the back-off. */
  readonly failures: number
  /** Earliest time of the next attempt. Null for an unresolved attempt: it is in flight, or its holder died. */
  readonly notBefore: Date | null
  /** Initial length of the pause until `notBefore`. If more than this remains, a wrong clock wrote it. */
  readonly pauseMs: number | null
  /** Age in milliseconds by the database's clock. */
  readonly ageMs: number
}

/**
 * A consent for another workspace than the connection had. It is not used until a user confirms it. Sealed for generation 0, which no event
 * has.
 */
export interface PendingAuthorization {
  readonly id: string
  readonly by: string
  readonly at: Date
  readonly waitsUntil: Date
  readonly workspace: Workspace
  readonly grant: Grant
  readonly sealed: string
  readonly expiresAt: Date | null
}

export interface StoredConnection {
  readonly stream: string
  readonly spaceId: string
  /** 0 for an empty stream. */
  readonly version: number
  readonly connection: Connection
  readonly dataKey: WrappedDataKey | null
  readonly workspace: Workspace | null
  readonly pending: PendingAuthorization | null
  /** Scopes that calls lacked and no consent has requested yet; null for none, empty after the server refused such a request. */
  readonly stepUpScope: string | null
  readonly intent: RefreshIntent | null
  /** Why the credential cannot be refreshed or used at present; null while it can. */
  readonly degraded: Degraded | null
  /** Earlier consents of this space that may still be valid at the authorization server. */
  readonly unrevokedConsents: number
  /** Approximate time of the last call; null before the first one. */
  readonly lastUsedAt: Date | null
}

export interface Append {
  readonly stream: string
  readonly spaceId: string
  readonly expectedVersion: number
  readonly event: ConnectionEvent
  /** The state after the event, stored as a snapshot so that reads do not depend on the length of the stream. */
  readonly connection: Connection
  /** When the background refresh checks this connection next; null for never. */
  readonly refreshDueAt: Date | null
  /** With an authorization: the scopes that are still missing after it. */
  readonly stepUpScope?: string | null
  /** Makes the append fail unless the refresh intent has this token, so that an overtaken lock holder stores nothing. */
  readonly fencingToken?: string
  /** Default: null. */
  readonly degraded?: Degraded | null
  /** With an authorization: the replaced consent counts as valid until {@link ConnectionStore.recordRevoked}. */
  readonly replacesConsent?: boolean
}

/** One event stream per connection, with a snapshot of its current state. */
export interface ConnectionStore {
  /** The current connection, in one round trip. */
  read(spaceId: string): Promise<StoredConnection>
  /**
   * Appends after `expectedVersion` and updates the snapshot, atomically. A disconnect also destroys the data key.
   *
   * @returns false when the stream has moved on, or the intent has another fencing token.
   */
  append(append: Append): Promise<boolean>
  /** The events before version `before`, newest first. */
  history(
    spaceId: string,
    before: number | undefined,
    limit: number,
  ): Promise<{ version: number; event: ConnectionEvent }[]>
  /** The data key of the stream; stores the one of `make` if there is none. */
  ensureDataKey(stream: string, make: () => WrappedDataKey): Promise<WrappedDataKey>
  nameWorkspace(stream: string, workspace: Workspace): Promise<void>
  /** Stores a pending authorization and replaces an earlier one. An authorization or a disconnect deletes it. */
  storePendingAuthorization(stream: string, pending: PendingAuthorization): Promise<void>
  /** @returns false when it is no longer pending. */
  dropPendingAuthorization(stream: string, id: string): Promise<boolean>
  /**
   * Stores the scopes that the next consent requests in addition. A disconnect deletes them.
   *
   * @returns false when the connection has changed since it was read.
   */
  requestStepUp(stored: StoredConnection, scope: string): Promise<boolean>
  /** Resolves an attempt without a decision and schedules the next one, if the intent still has this fencing token. */
  postponeRefresh(
    stream: string,
    intent: Omit<RefreshIntent, 'ageMs' | 'notBefore' | 'pauseMs'> & {
      readonly notBefore: Date
      readonly pauseMs: number
      readonly degraded: Degraded | null
    },
  ): Promise<void>
  /**
   * Sets or clears the mark if the version is still the one that was read, and notifies all replicas.
   *
   * @param dueAt when the background refresh checks the connection next; unchanged if omitted.
   */
  setDegraded(stored: StoredConnection, degraded: Degraded | null, dueAt?: Date): Promise<void>
  /** Records that one of the earlier consents was revoked. */
  recordRevoked(stream: string): Promise<void>
  /** Records the use of these spaces; unused connections are refreshed less often. */
  markUsed(spaceIds: readonly string[], now: Date): Promise<void>
  /** Leases up to `limit` connections whose refresh is due at `now` for `leaseMs`, in which no other replica gets them. */
  takeDue(now: Date, limit: number, leaseMs: number): Promise<DueConnection[]>
}

export interface DueConnection {
  readonly spaceId: string
  /** The version that is due. A later version is not. */
  readonly version: number
}
