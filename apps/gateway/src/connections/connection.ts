/**
 * The connection of one space to Notion as a stream of events. No I/O, no clock, no randomness.
 *
 *             Authorized               TokenRefreshed
 *   absent ───────────────▶ connected ───────────────┐
 *                           ▲ │     ▲ ◀──────────────┘
 *                Authorized │ │     │ Authorized
 *                           │ ▼ AuthorizationFailed
 *                  reconnect_required ──▶ disconnected   (Disconnected; also from connected)
 */
import type { ConnectionNotice, ReconnectReason } from '@nmg/contract'

/** The tokens and the client registration of a grant, encrypted for one stream and one generation. */
export interface SealedCredential {
  /** Nonce, ciphertext and tag, base64. */
  readonly sealed: string
  /** The data key that decrypts it. */
  readonly keyId: string
  /** Token generation: the version of the event that stored it. Authenticated by the encryption. */
  readonly generation: number
  /** Expiry of the access token; null if unknown. Stored unencrypted, so that no key is needed to decide on a refresh. */
  readonly expiresAt: Date | null
  /** True if it holds a refresh token. Without one, the connection ends with the access token. */
  readonly isRenewable: boolean
}

/** Token generation of a pending authorization. Events have versions from 1 on. */
export const PENDING_GENERATION = 0

/** A consent and its authorization server. Lasts until it expires, is disconnected or is finally refused. */
export interface Grant {
  readonly issuer: string
  /** As discovered when the consent was given. */
  readonly tokenEndpoint: string
  readonly revocationEndpoint: string | null
  /** Resource indicator, the same in authorize, exchange and refresh ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)). */
  readonly resource: string | null
  /** The requested and the granted scopes; null for none. */
  readonly scope: string | null
  readonly authorizedAt: Date
  readonly authorizedBy: string
}

export type ConnectionEvent =
  | {
      readonly type: 'NotionIntegrationAuthorized'
      readonly at: Date
      readonly by: string
      /** User who confirmed the workspace change, if there was one. */
      readonly confirmedBy?: string | undefined
      readonly grant: Grant
      readonly credential: SealedCredential
    }
  | {
      readonly type: 'NotionIntegrationTokenRefreshed'
      readonly at: Date
      readonly credential: SealedCredential
      /** Present when the refresh used other endpoints, or another resource indicator, than the stored grant. */
      readonly grant?: Grant | undefined
    }
  | {
      readonly type: 'NotionIntegrationAuthorizationFailed'
      readonly at: Date
      /** The OAuth error code of the refusal. */
      readonly error: string
      readonly reason: ReconnectReason
      /** The token generation that was refused. */
      readonly generation: number
    }
  | { readonly type: 'NotionIntegrationDisconnected'; readonly at: Date; readonly by: string }

export type Connection =
  | { readonly status: 'absent' }
  | {
      readonly status: 'connected'
      readonly grant: Grant
      readonly credential: SealedCredential
      /** When this consent's tokens were last refreshed; null before the first refresh. */
      readonly lastRefreshedAt: Date | null
    }
  | {
      readonly status: 'reconnect_required'
      readonly grant: Grant
      readonly lastRefreshedAt: Date | null
      readonly since: Date
      readonly error: string
      readonly reason: ReconnectReason
    }
  | { readonly status: 'disconnected'; readonly grant: Grant; readonly since: Date; readonly by: string }

export const absent: Connection = { status: 'absent' }

/**
 * The connection after `event`. Total: an event that does not apply to a state (a refresh stored after a disconnect)
 * changes nothing. The decisions that lead to events are strict, and appends check the expected version.
 */
export function evolve(connection: Connection, event: ConnectionEvent): Connection {
  switch (event.type) {
    case 'NotionIntegrationAuthorized':
      return { status: 'connected', grant: event.grant, credential: event.credential, lastRefreshedAt: null }
    case 'NotionIntegrationTokenRefreshed':
      if (connection.status !== 'connected') return connection
      return {
        ...connection,
        grant: event.grant ?? connection.grant,
        credential: event.credential,
        lastRefreshedAt: event.at,
      }
    case 'NotionIntegrationAuthorizationFailed': {
      if (connection.status !== 'connected') return connection
      const { grant, lastRefreshedAt } = connection
      const { at: since, error, reason } = event
      return { status: 'reconnect_required', grant, lastRefreshedAt, since, error, reason }
    }
    case 'NotionIntegrationDisconnected':
      if (connection.status === 'absent' || connection.status === 'disconnected') return connection
      return { status: 'disconnected', grant: connection.grant, since: event.at, by: event.by }
  }
}

export const replay = (events: Iterable<ConnectionEvent>): Connection => {
  let connection: Connection = absent
  for (const event of events) connection = evolve(connection, event)
  return connection
}

const DAY_MS = 24 * 60 * 60 * 1000

/** A grant of Notion ends 180 days after the consent. */
export const GRANT_LIFE_MS = 180 * DAY_MS

/** A grant of Notion ends after 30 days without a refresh. */
export const IDLE_LIFE_MS = 30 * DAY_MS

/** A consent dated in the future was written by a wrong clock, so it counts from now. */
const grantEndsAt = ({ authorizedAt }: Grant, now: Date): Date =>
  new Date(Math.min(authorizedAt.getTime(), now.getTime()) + GRANT_LIFE_MS)

/** Latest time at which a user has to consent again; null if unknown. */
export const reconnectBy = (
  { grant, credential }: Extract<Connection, { status: 'connected' }>,
  now: Date,
): Date | null => (credential.isRenewable ? grantEndsAt(grant, now) : credential.expiresAt)

/** When the access token was issued. */
export const issuedAt = ({ grant, lastRefreshedAt }: Extract<Connection, { status: 'connected' }>): Date =>
  lastRefreshedAt ?? grant.authorizedAt

/** Days before the end of a grant from which users see a notice, and an urgent one. */
const NOTICE_DAYS = 14
const URGENT_NOTICE_DAYS = 3

/** The notice for users of a connection that is about to end. */
export function noticeOf(connection: Connection, now: Date): ConnectionNotice | undefined {
  if (connection.status !== 'connected') return undefined
  const end = reconnectBy(connection, now)
  if (end === null) return undefined
  const days = Math.max(0, Math.ceil((end.getTime() - now.getTime()) / DAY_MS))
  if (days > NOTICE_DAYS) return undefined
  return { kind: days > URGENT_NOTICE_DAYS ? 'reconnect_soon' : 'reconnect_now', days }
}

/** Classifies the end of an access token without a refresh token. */
export const classifyTokenEnd = (
  { expiresAt }: SealedCredential,
  now: Date,
): { error: string; reason: ReconnectReason } => ({
  error: 'invalid_token',
  reason: expiresAt !== null && now < expiresAt ? 'revoked' : 'expired',
})

/**
 * Classifies a final refusal for users. `invalid_grant` stands for a revoked grant as well as for an expired one; the
 * server's description or the age of the grant distinguishes them.
 */
export function classifyRefusal(
  { error, isTokenExpired }: { readonly error: string; readonly isTokenExpired: boolean },
  grant: Grant,
  lastRefreshedAt: Date | null,
  now: Date,
): ReconnectReason {
  if (error === 'invalid_client' || error === 'unauthorized_client') return 'client_lost'
  if (error === 'unsupported_grant_type') return 'refused'
  const lastUse = lastRefreshedAt ?? grant.authorizedAt
  const hasEnded = now >= grantEndsAt(grant, now) || now.getTime() - lastUse.getTime() >= IDLE_LIFE_MS
  return isTokenExpired || hasEnded ? 'expired' : 'revoked'
}
