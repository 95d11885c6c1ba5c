import { z } from 'zod'
import { DisplayName } from './display-name.ts'

/** What a person's MCP client may do with the space's Notion. `notion:write` includes `notion:read`. */
export const scopes = ['notion:read', 'notion:write'] as const
export const Scope = z.enum(scopes)
export type Scope = z.infer<typeof Scope>

/** Ids are chosen by applications: 1 to 200 characters, none of them a control character or half of a character. */
const identifier = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u)

const instant = z.iso.datetime()

/** `POST /access/keys`. The person is the one in `X-User-ID`. */
export const NewAccessKey = z.object({
  spaceId: identifier,
  scope: Scope,
  /** What the person calls it. */
  name: DisplayName,
  /** Without it, the key is good until it is deleted. */
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
  /** To the minute; absent when it was never used. */
  lastUsedAt: instant.optional(),
})
export type AccessKey = z.infer<typeof AccessKey>

/** The only answer that ever holds the key itself. */
export const CreatedAccessKey = AccessKey.extend({ key: z.string() })
export type CreatedAccessKey = z.infer<typeof CreatedAccessKey>

/** `GET /access/keys?space_id=&user_id=`, newest first. */
export const AccessKeys = z.object({ keys: z.array(AccessKey) })
export type AccessKeys = z.infer<typeof AccessKeys>

/** An OAuth client, as its authorization server calls it (RFC 6749 §A.1): what is no longer than this fits everywhere where clients are told apart. */
export const ClientId = z.string().regex(/^[\x20-\x7e]{1,500}$/)

/**
 * `POST /access/revocations`: all access of a person to a space ends now, or that of one client of theirs, or one grant of it. Tokens that were
 * issued before are refused, open streams are cut; without `clientId` and `grantId` the person's keys are deleted as well.
 */
export const Revocation = z.object({
  spaceId: identifier,
  userId: identifier,
  clientId: ClientId.optional(),
  /**
   * One login of the client: the claim `grant_id` of its access tokens. Tokens of the client that name no grant end with it, others of the client
   * go on. A gateway that does not know it ends all that `clientId` has.
   */
  grantId: identifier.optional(),
})
export type Revocation = z.infer<typeof Revocation>

/** An MCP client that called, told apart by its credential and the name that it gives itself. */
export const ActiveClient = z.object({
  /** The OAuth client; absent for one that uses a key. */
  clientId: z.string().optional(),
  keyId: z.uuid().optional(),
  userId: z.string(),
  /** What the client calls itself: anybody can choose any name. Empty when it did not say. */
  name: z.string(),
  version: z.string().optional(),
  /** The protocol: with sessions and `initialize` (`2025`), or without (`2026`). */
  era: z.enum(['2025', '2026']),
  firstSeenAt: instant,
  /** To the minute. */
  lastSeenAt: instant,
})
export type ActiveClient = z.infer<typeof ActiveClient>

/** `GET /access/clients?space_id=&user_id=`, the one seen last first. */
export const ActiveClients = z.object({ clients: z.array(ActiveClient) })
export type ActiveClients = z.infer<typeof ActiveClients>
