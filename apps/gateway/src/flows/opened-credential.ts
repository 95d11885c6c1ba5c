import type { Connection } from '../domain/connection.ts'
import { Failure } from '../failure.ts'
import type { Access, StoredConnection, Tokens, Vault, WrappedDataKey } from '../ports.ts'

/** @throws {Failure} `not_connected`, `reconnect_required`. */
export function connected(
  { connectUrl }: { readonly connectUrl: (spaceId: string) => string },
  { spaceId, connection, dataKey }: StoredConnection,
): Extract<Connection, { status: 'connected' }> {
  switch (connection.status) {
    case 'connected':
      return connection
    case 'absent':
      // Whoever begins a consent leaves a data key behind.
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
    `Connecting Notion was begun for this space and never completed. Reconnect Notion: ${link}`,
  )

export function open(vault: Vault, stored: StoredConnection): Access {
  const { connection, stream } = stored
  if (connection.status !== 'connected') throw new Error('only a connected connection has a credential')
  const { generation, sealed } = connection.credential
  return {
    token: vault.open(dataKeyOf(stored), { stream, generation, grant: connection.grant }, sealed).accessToken,
    version: generation,
  }
}

export function dataKeyOf({ connection, dataKey }: StoredConnection): WrappedDataKey {
  if (dataKey && connection.status === 'connected' && connection.credential.keyId === dataKey.id) return dataKey
  throw new Failure(
    'sealed_value_unreadable',
    'A stored credential cannot be opened: its data key is missing from the database. Reconnect Notion.',
  )
}

/** End of the access token; null when the server did not say ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)). */
export const expiryOf = (now: Date, { expiresInSeconds }: Tokens): Date | null =>
  expiresInSeconds === null ? null : new Date(now.getTime() + expiresInSeconds * 1000)

/** Whether the failure says nothing about the connection itself. */
export const isPassing = (error: unknown) =>
  error instanceof Failure && (error.code === 'refresh_unavailable' || error.code === 'store_unavailable')

/** Nothing that trying again would mend. */
export const unreachableHere = (cause: unknown) =>
  new Failure(
    'refresh_unavailable',
    "The address of Notion's authorization server leads where this gateway sends nothing: into a private network, or to this machine. Tell its operator. The connection is kept.",
    { cause, retryAfterSeconds: 60 },
  )

/** The connection is kept; what did not work may work later. */
export const unavailable = (retryAfterSeconds: number, cause?: unknown) =>
  new Failure(
    'refresh_unavailable',
    cause instanceof Failure
      ? `${cause.message} The connection is kept.`
      : "Notion's authorization server does not answer properly right now. The connection is kept; try again.",
    {
      cause,
      retryAfterSeconds,
    },
  )
