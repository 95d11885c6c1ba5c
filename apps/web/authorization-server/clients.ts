/** The table of clients: those that registered, and those whose document was read. */
import { createHash, randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import type { KnownClient } from '../lib/authorization.ts'
import { SCHEMA } from '../lib/database.ts'
import type { ClientRegistration, RegisteredClient } from './client-registration.ts'

/** Digest under which tokens, codes and client secrets are stored. */
export const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

export interface StoredClient extends KnownClient {
  readonly authMethod: ClientRegistration['authMethod']
  readonly secretDigest: string | undefined
}

export async function findClient(pool: Pool, clientId: string): Promise<StoredClient | undefined> {
  const { rows } = await pool.query<StoredClient & { secretDigest: string | null }>(
    `select client_id as "clientId", name, redirect_uris as "redirectUris", auth_method as "authMethod",
            secret_digest as "secretDigest", disabled as "isDisabled"
     from ${SCHEMA}.oauth_client where client_id = $1`,
    // The database takes no NUL in text, so no client has one in its id.
    [clientId.replaceAll('\0', '')],
  )
  const [row] = rows
  return row && { ...row, secretDigest: row.secretDigest ?? undefined }
}

/** Stores a new client under an id of its own; with a secret, unless it is a public one. */
export async function registerClient(pool: Pool, client: ClientRegistration): Promise<RegisteredClient> {
  const clientId = randomBytes(24).toString('base64url')
  const secret = client.authMethod === 'none' ? undefined : randomBytes(32).toString('base64url')
  const { rows } = await pool.query<{ created_at: Date }>(
    `insert into ${SCHEMA}.oauth_client
       (client_id, secret_digest, name, redirect_uris, auth_method, software_id, software_version)
     values ($1, $2, $3, $4, $5, $6, $7) returning created_at`,
    [clientId, secret === undefined ? null : digest(secret), ...fields(client)],
  )
  return { clientId, secret, issuedAt: rows[0]?.created_at ?? new Date() }
}

/**
 * Stores what a client's document says now, in place of what was stored of it before. What the operator did to the client stays.
 *
 * @param freshSeconds for how long the document is used without being read again.
 */
export async function storeDocumentClient(
  pool: Pool,
  clientId: string,
  client: ClientRegistration,
  freshSeconds: number,
): Promise<void> {
  await pool.query(
    `with client as (
       insert into ${SCHEMA}.oauth_client
         (client_id, name, redirect_uris, auth_method, software_id, software_version)
       values ($1, $3, $4, $5, $6, $7)
       on conflict (client_id) do update
       set name = excluded.name, redirect_uris = excluded.redirect_uris, auth_method = excluded.auth_method,
           software_id = excluded.software_id, software_version = excluded.software_version, updated_at = now()
       returning client_id)
     insert into ${SCHEMA}.client_document (client_id, fetched_at, fresh_until)
     select client_id, now(), now() + make_interval(secs => $2) from client
     on conflict (client_id) do update set fetched_at = excluded.fetched_at, fresh_until = excluded.fresh_until`,
    [clientId, freshSeconds, ...fields(client)],
  )
}

const fields = ({ name, redirectUris, authMethod, softwareId, softwareVersion }: ClientRegistration) => [
  name,
  redirectUris,
  authMethod,
  softwareId ?? null,
  softwareVersion ?? null,
]
