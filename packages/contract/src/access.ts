import { z } from 'zod'
import { DisplayName } from './display-name.ts'

/** Permissions of a user's MCP client in a space. `notion:write` includes `notion:read`. */
export const scopes = ['notion:read', 'notion:write'] as const
export const Scope = z.enum(scopes)
export type Scope = z.infer<typeof Scope>

/** Applications choose ids: 1 to 200 characters, without control characters and lone surrogates. */
const identifier = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u)

const instant = z.iso.datetime()

/** `POST /access/keys`. The user is the one in `X-User-ID`. */
export const NewAccessKey = z.object({
  spaceId: identifier,
  scope: Scope,
  /** The user's name for the key. */
  name: DisplayName,
  /** Absent: the key is valid until it is deleted. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
})
export type NewAccessKey = z.infer<typeof NewAccessKey>

/** A key without its secret. */
export const AccessKey = z.object({
  id: z.uuid(),
  name: z.string(),
  spaceId: z.string(),
  userId: z.string(),
  scope: Scope,
  createdAt: instant,
  expiresAt: instant.optional(),
  /** Precise to the minute; absent when the key was never used. */
  lastUsedAt: instant.optional(),
})
export type AccessKey = z.infer<typeof AccessKey>

/** The only response that contains the key itself. */
export const CreatedAccessKey = AccessKey.extend({ key: z.string() })
export type CreatedAccessKey = z.infer<typeof CreatedAccessKey>

/** `GET /access/keys?space_id=&user_id=`, newest first. */
export const AccessKeys = z.object({ keys: z.array(AccessKey) })
export type AccessKeys = z.infer<typeof AccessKeys>

/** The `client_id` of an OAuth client (RFC 6749 §A.1), limited to a length that all tables and keys can store. */
export const ClientId = z.string().regex(/^[\x20-\x7e]{1,500}$/)

/**
 * `POST /access/revocations`: revokes all access of a user to a space, or that of one of their clients, or one grant of it. Tokens issued before are
 * refused and open streams are closed; without `clientId` and `grantId` the user's keys are deleted too.
 */
export const Revocation = z.object({
  spaceId: identifier,
  userId: identifier,
  clientId: ClientId.optional(),
  /**
   * One login of the client: the claim `grant_id` of its access tokens. Tokens of the client without this claim are revoked too, those of other
   * grants are not. Older gateways ignore it and revoke all access of `clientId`.
   */
  grantId: identifier.optional(),
})
export type Revocation = z.infer<typeof Revocation>

/** An MCP client that has sent requests, identified by its credential and its `clientInfo` name. */
export const ActiveClient = z.object({
  /** Absent for a client that uses an access key. */
  clientId: z.string().optional(),
  keyId: z.uuid().optional(),
  userId: z.string(),
  /** The client's own name, which is not verified; empty when the client sends none. */
  name: z.string(),
  version: z.string().optional(),
  /** The MCP revision: with sessions and `initialize` (`2025`), or without (`2026`). */
  era: z.enum(['2025', '2026']),
  firstSeenAt: instant,
  /** Precise to the minute. */
  lastSeenAt: instant,
})
export type ActiveClient = z.infer<typeof ActiveClient>

/** `GET /access/clients?space_id=&user_id=`, most recently active first. */
export const ActiveClients = z.object({ clients: z.array(ActiveClient) })
export type ActiveClients = z.infer<typeof ActiveClients>
