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
  /** The data key that opens it. */
  readonly keyId: string
  /** The version of the event that stored it; part of what the encryption authenticates. */
  readonly generation: number
  /** End of the access token; null when the server did not say. Outside of the seal: "refresh now?" needs no key. */
  readonly expiresAt: Date | null
  /** Whether it holds a refresh token. Without one the connection ends with the access token. */
  readonly isRenewable: boolean
}

/** What the credential of a consent that waits to be confirmed is sealed for: events have versions from 1 on. */
export const WAITING_GENERATION = 0

/** A consent, and where it was given. Lives until it expires, is disconnected, or is refused for good. */
export interface Grant {
  readonly issuer: string
  /** As discovered when the consent was given; used when discovery does not answer. */
  readonly tokenEndpoint: string
  readonly revocationEndpoint: string | null
  /** Resource indicator, the same in authorize, exchange and refresh ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)). */
  readonly resource: string | null
  /** What was asked for, and what was granted; null for nothing in particular. */
  readonly scope: string | null
  readonly authorizedAt: Date
  readonly authorizedBy: string
}

export type ConnectionEvent =
  | {
      readonly type: 'NotionIntegrationAuthorized'
      readonly at: Date
      readonly by: string
      /** Who said that another workspace than before is meant, where that was asked. */
      readonly confirmedBy?: string | undefined
      readonly grant: Grant
      readonly credential: SealedCredential
    }
  | {
      readonly type: 'NotionIntegrationTokenRefreshed'
      readonly at: Date
      readonly credential: SealedCredential
      /** Present when the refresh went to other endpoints, or with another resource indicator, than the grant was stored with. */
      readonly grant?: Grant | undefined
    }
  | {
      readonly type: 'NotionIntegrationAuthorizationFailed'
      readonly at: Date
      /** The OAuth error code of the refusal. */
      readonly error: string
      readonly reason: ReconnectReason
      /** Which generation of the credential was refused. */
      readonly generation: number
    }
  | { readonly type: 'NotionIntegrationDisconnected'; readonly at: Date; readonly by: string }

export type Connection =
  | { readonly status: 'absent' }
  | {
      readonly status: 'connected'
      readonly grant: Grant
      readonly credential: SealedCredential
      /** When this consent's tokens were last renewed; null before the first time. */
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
 * The connection after `event`. Total and forgiving: an event that makes no sense in a state (a refresh that was stored
 * after a disconnect) changes nothing. The decisions that lead to events are strict, and appends name the version they expect.
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

/** A grant of Notion ends 180 days after the consent, whatever happens in between. */
export const GRANT_LIFE_MS = 180 * DAY_MS

/** A grant of Notion ends after 30 days without a refresh. */
export const IDLE_LIFE_MS = 30 * DAY_MS

/** A consent that lies ahead was dated by a clock that has moved since. It began now at the latest. */
const grantEndsAt = ({ authorizedAt }: Grant, now: Date): Date =>
  new Date(Math.min(authorizedAt.getTime(), now.getTime()) + GRANT_LIFE_MS)

/** The moment at which the person has to consent again at the latest; null when nobody knows. */
export const reconnectBy = (
  { grant, credential }: Extract<Connection, { status: 'connected' }>,
  now: Date,
): Date | null => (credential.isRenewable ? grantEndsAt(grant, now) : credential.expiresAt)

/** When the access token was issued. */
export const issuedAt = ({ grant, lastRefreshedAt }: Extract<Connection, { status: 'connected' }>): Date =>
  lastRefreshedAt ?? grant.authorizedAt

/** Days before the end of a grant from which on the person is told, and told with more emphasis. */
const NOTICE_DAYS = 14
const URGENT_NOTICE_DAYS = 3

/** What the person should know of a connection that still works. */
export function noticeOf(connection: Connection, now: Date): ConnectionNotice | undefined {
  if (connection.status !== 'connected') return undefined
  const end = reconnectBy(connection, now)
  if (end === null) return undefined
  const days = Math.max(0, Math.ceil((end.getTime() - now.getTime()) / DAY_MS))
  if (days > NOTICE_DAYS) return undefined
  return { kind: days > URGENT_NOTICE_DAYS ? 'reconnect_soon' : 'reconnect_now', days }
}

/** What it means that an access token is of no use any more, and there is nothing to renew it with. */
export const endOfToken = ({ expiresAt }: SealedCredential, now: Date): { error: string; reason: ReconnectReason } => ({
  error: 'invalid_token',
  reason: expiresAt !== null && now < expiresAt ? 'revoked' : 'expired',
})

/**
 * What a final refusal means for the person. The server says `invalid_grant` for a grant that was revoked as well as for
 * one that ran out; its description or the clocks tell them apart.
 */
export function reasonOf(
  { error, saysExpired }: { readonly error: string; readonly saysExpired: boolean },
  grant: Grant,
  lastRefreshedAt: Date | null,
  now: Date,
): ReconnectReason {
  if (error === 'invalid_client' || error === 'unauthorized_client') return 'client_lost'
  if (error === 'unsupported_grant_type') return 'refused'
  const lastSignOfLife = lastRefreshedAt ?? grant.authorizedAt
  const isOver = now >= grantEndsAt(grant, now) || now.getTime() - lastSignOfLife.getTime() >= IDLE_LIFE_MS
  return saysExpired || isOver ? 'expired' : 'revoked'
}
