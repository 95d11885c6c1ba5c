import type { Connection, ConnectionEvent, Grant } from './connection.ts'
import type { Workspace } from './credential.ts'
import type { WrappedDataKey } from './vault.ts'
import type { Degraded } from './degraded.ts'

/**
 * Written before a refresh token goes out: generation `generation` is about to be redeemed by claim `fencingToken`. Found by the next holder,
 * it says that the outcome may be in doubt.
 */
export interface RefreshIntent {
  readonly generation: number
  readonly fencingToken: string
  /** How often this generation's token went out without a readable answer; an attempt that is under way counts. */
  readonly inDoubt: number
  /** Attempts in a row that brought no decision, for the back-off. */
  readonly failures: number
  /** No attempt before this moment. Null for an attempt that nobody settled: it is under way, or its holder died in it. */
  readonly notBefore: Date | null
  /** How long that pause was when it began. A pause that has longer to go than this was written by a clock that has moved since. */
  readonly pauseMs: number | null
  /** Milliseconds since it was written, by the database's clock. */
  readonly ageMs: number
}

/**
 * A consent that reaches another workspace than the connection did. Nothing uses it before a person says that this is meant. Sealed for generation 0,
 * which no event has.
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
  /** 0 for a stream never written. */
  readonly version: number
  readonly connection: Connection
  readonly dataKey: WrappedDataKey | null
  readonly workspace: Workspace | null
  readonly waiting: PendingAuthorization | null
  /** What upstream refused calls for want of, and nobody has been asked for yet; null for nothing, empty when asking was refused. */
  readonly stepUpScope: string | null
  readonly intent: RefreshIntent | null
  /** Why the credential cannot be renewed or used right now; null while all is well. */
  readonly degraded: Degraded | null
  /** Earlier consents of this space that may still be valid at the authorization server. */
  readonly unrevokedConsents: number
  /** About when a call last used the connection; null before the first one. */
  readonly lastUsedAt: Date | null
}

export interface Append {
  readonly stream: string
  readonly spaceId: string
  readonly expectedVersion: number
  readonly event: ConnectionEvent
  /** The state after the event; stored beside the stream so that reading it does not depend on the stream's length. */
  readonly connection: Connection
  /** When the background refresher looks at this connection next; null for never. */
  readonly refreshDueAt: Date | null
  /** With an authorization: what is still wanted after it. */
  readonly stepUpScope?: string | null
  /** Only while the refresh intent is this claim's: a holder that was overtaken stores nothing. */
  readonly fencingToken?: string
  /** What is wrong with the renewal after the event; nothing when left out. */
  readonly degraded?: Degraded | null
  /** With an authorization: the consent that it replaces may stay valid, until {@link ConnectionStore.noteRevoked} says otherwise. */
  readonly replacesConsent?: boolean
}

/** One event stream for each space's connection, its current state beside it. */
export interface ConnectionStore {
  /** The connection as of now, in one round trip. */
  read(spaceId: string): Promise<StoredConnection>
  /**
   * Appends right after `expectedVersion` and moves the state, both or neither. A disconnect also destroys the data key.
   *
   * @returns false when the stream has moved on since it was read, or the claim is another's by now.
   */
  append(append: Append): Promise<boolean>
  /** Newest first, those before version `before`. */
  history(
    spaceId: string,
    before: number | undefined,
    limit: number,
  ): Promise<{ version: number; event: ConnectionEvent }[]>
  /** The stored data key of the stream, made with `make` when there is none. */
  ensureDataKey(stream: string, make: () => WrappedDataKey): Promise<WrappedDataKey>
  nameWorkspace(stream: string, workspace: Workspace): Promise<void>
  /** Keeps a consent beside the connection, in place of one that waits already. An authorization or a disconnect drops it. */
  park(stream: string, waiting: PendingAuthorization): Promise<void>
  /** @returns false when another one waits by now, or none. */
  dropPendingAuthorization(stream: string, id: string): Promise<boolean>
  /**
   * Keeps what the next consent should ask for as well. A disconnect drops it.
   *
   * @returns false when the connection is not as it was read any more.
   */
  requestStepUp(stored: StoredConnection, scope: string): Promise<boolean>
  /** Settles an attempt that brought no decision, as long as the intent is still this claim's, and notes when to try again. */
  postponeRefresh(
    stream: string,
    intent: Omit<RefreshIntent, 'ageMs' | 'notBefore' | 'pauseMs'> & {
      readonly notBefore: Date
      readonly pauseMs: number
      readonly degraded: Degraded | null
    },
  ): Promise<void>
  /**
   * Marks or unmarks the connection, as long as its version is still the one that was read, and tells all replicas.
   *
   * @param dueAt when the background refresher looks at it next; left out to leave that as it is.
   */
  setDegraded(stored: StoredConnection, degraded: Degraded | null, dueAt?: Date): Promise<void>
  /** One of the earlier consents was revoked after all. */
  noteRevoked(stream: string): Promise<void>
  /** Notes that these spaces are in use; an unused connection is renewed more rarely. */
  markUsed(spaceIds: readonly string[], now: Date): Promise<void>
  /**
   * Takes up to `limit` connections whose renewal is due at `now`, and puts each off by `leaseMs`, so that no other replica gets it
   * meanwhile.
   */
  takeDue(now: Date, limit: number, leaseMs: number): Promise<DueConnection[]>
}

export interface DueConnection {
  readonly spaceId: string
  /** The version that is due. A connection that has moved on since is not due any longer. */
  readonly version: number
}
