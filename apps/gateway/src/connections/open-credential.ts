import type { DegradedReason } from '@nmg/contract'
import type { Connection } from './connection.ts'
import { MAX_PAUSE_MS } from './refresh-schedule.ts'
import { Failure } from '../platform/failure.ts'
import type { Clock } from '../platform/clock.ts'
import type { Credential } from './credential.ts'
import type { Vault, WrappedDataKey } from './vault.ts'
import type { StoredConnection } from './connection-store.ts'
import type { Tokens } from './authorization-server.ts'

/** The connection if it is connected. @throws {Failure} `not_connected`, `reconnect_required`. */
export function requireConnected(
  { connectUrl }: { readonly connectUrl: (spaceId: string) => string },
  { spaceId, connection, dataKey }: StoredConnection,
): Extract<Connection, { status: 'connected' }> {
  switch (connection.status) {
    case 'connected':
      return connection
    case 'absent':
      // Starting an authorization creates the data key.
      throw dataKey ? neverCompleted(connectUrl(spaceId)) : notConnected(connectUrl(spaceId))
    case 'disconnected':
      throw notConnected(connectUrl(spaceId))
    case 'reconnect_required':
      throw new Failure(
        'reconnect_required',
        `Notion no longer accepts this connection. Reconnect Notion: ${connectUrl(spaceId)}`,
      )
  }
}

const notConnected = (link: string) =>
  new Failure('not_connected', `No Notion integration connected for this space. Connect Notion first: ${link}`)

const neverCompleted = (link: string) =>
  new Failure(
    'reconnect_required',
    `Connecting Notion was started for this space but never completed. Reconnect Notion: ${link}`,
  )

export interface OpenDependencies {
  readonly clock: Clock
  readonly vault: Vault
  readonly connectUrl: (spaceId: string) => string
}

/** Decrypts the credential of a connected connection. @throws {Failure} `credential_unreadable`. */
export function openCredential({ vault, connectUrl }: OpenDependencies, stored: StoredConnection): Credential {
  const { connection, stream, spaceId } = stored
  if (connection.status !== 'connected') throw new Error('only a connected connection has a credential')
  const { generation, sealed } = connection.credential
  try {
    return vault.open(dataKeyOf(stored), { stream, generation, grant: connection.grant }, sealed)
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'sealed_value_unreadable') throw cause
    throw new Failure(
      'credential_unreadable',
      `The stored credential of this space cannot be opened. The operator can give the gateway the CREDENTIAL_KEYS that it was stored with; otherwise reconnect Notion: ${connectUrl(spaceId)}`,
      { cause, retryAfterSeconds: MAX_PAUSE_MS / 1000 },
    )
  }
}

export function dataKeyOf({ connection, dataKey }: StoredConnection): WrappedDataKey {
  if (dataKey && connection.status === 'connected' && connection.credential.keyId === dataKey.id) return dataKey
  throw new Failure(
    'sealed_value_unreadable',
    'A stored credential cannot be opened: its data key is missing from the database. Reconnect Notion.',
  )
}

/**
 * Expiry of the access token; null if the response has none ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)). A missing
 * access token counts as expired.
 */
export function expiryOf(now: Date, { accessToken, expiresInSeconds }: Tokens): Date | null {
  if (accessToken === null) return now
  return expiresInSeconds === null ? null : new Date(now.getTime() + expiresInSeconds * 1000)
}

/** True for temporary failures, after which the connection is still valid. */
export const isTransient = (error: unknown) =>
  error instanceof Failure &&
  (error.code === 'refresh_unavailable' ||
    error.code === 'upstream_refuses_token' ||
    error.code === 'store_unavailable')

/** The SSRF guard forbids the token endpoint, so retries fail until the operator changes a setting. */
export const addressForbidden = (cause: unknown) =>
  new Failure(
    'refresh_unavailable',
    "The address of Notion's authorization server is in a private network or on the gateway's own machine, where the gateway sends nothing. Tell its operator. The connection is kept.",
    { cause, retryAfterSeconds: 60 },
  )

/** The failure of a call while there is no usable access token and no refresh token is sent. The connection is kept. */
export function refreshUnavailable(
  { connectUrl }: { readonly connectUrl: (spaceId: string) => string },
  { spaceId, degraded }: Pick<StoredConnection, 'spaceId' | 'degraded'>,
  waitMs: number,
  cause?: unknown,
): Failure {
  const retryAfterSeconds = Math.min(MAX_PAUSE_MS / 1000, Math.max(1, Math.ceil(waitMs / 1000)))
  const code = degraded?.reason === 'upstream_refuses_token' ? 'upstream_refuses_token' : 'refresh_unavailable'
  // A failed outbound proxy has a message of its own.
  const detail =
    cause instanceof Failure
      ? `${cause.message} The connection is kept.`
      : explanation(degraded?.reason, connectUrl(spaceId))
  return new Failure(code, detail, { cause, retryAfterSeconds })
}

function explanation(reason: DegradedReason | undefined, link: string): string {
  switch (reason) {
    case undefined:
    case 'renewal_unreachable':
      return "Notion's authorization server does not respond properly right now. The connection is kept; try again."
    case 'renewal_unreadable':
      return `Notion's authorization server has not given a usable response for a while. The gateway keeps trying. If this lasts, an owner of the space can reconnect Notion: ${link}`
    case 'renewal_refused':
      return `Notion's authorization server refuses to refresh this space's access. The gateway tries again every hour. An owner of the space can reconnect Notion now: ${link}`
    case 'access_token_missing':
      return `Notion's authorization server refreshed this space's access, but sent no usable access token. The gateway tries again. If this lasts, an owner of the space can reconnect Notion: ${link}`
    case 'client_rejected':
      return "Notion's authorization server rejects the gateway's own credentials. Its operator has to check NOTION_MCP_CLIENT_ID and NOTION_MCP_CLIENT_SECRET; reconnecting does not help."
    case 'upstream_refuses_token':
      return `Notion refuses access tokens that it has just issued for this space. The gateway requests a new one later. If this lasts, an owner of the space can reconnect Notion: ${link}`
    case 'credential_unreadable':
      return `The stored credential of this space cannot be opened. An owner of the space can reconnect Notion: ${link}`
  }
}
