import { DisplayName, Scope } from '@nmg/contract'
import { z } from 'zod'

const instant = z.iso.datetime()

/** A key of the user, without its secret. */
export const KeyView = z.object({
  id: z.string(),
  name: z.string(),
  scope: Scope,
  createdAt: instant,
  expiresAt: instant.optional(),
  lastUsedAt: instant.optional(),
})
export type KeyView = z.infer<typeof KeyView>

/** A client that has called for the user. */
export const CallerView = z.object({
  id: z.string(),
  /** Self-chosen, untrusted name. */
  name: z.string(),
  version: z.string().optional(),
  /** For a login: the registered name, and the host of its metadata document; for a key: the key's name. */
  by: z.object({ kind: z.enum(['login', 'key']), name: z.string(), host: z.string().optional() }),
  firstSeenAt: instant,
  lastSeenAt: instant,
})
export type CallerView = z.infer<typeof CallerView>

/** `GET /api/spaces/{spaceId}/clients`: the user's keys and clients. */
export const ClientLists = z.object({ keys: z.array(KeyView), callers: z.array(CallerView) })
export type ClientLists = z.infer<typeof ClientLists>

/** Lifetimes of new keys, in days; 0 means no expiry. */
export const KEY_DAYS = [30, 90, 365, 0] as const

/** `POST /api/spaces/{spaceId}/keys`. */
export const NewKey = z.object({
  name: DisplayName,
  scope: Scope,
  days: z.literal([...KEY_DAYS]),
})
export type NewKey = z.infer<typeof NewKey>

/** The only response that contains the key itself. */
export const MadeKey = KeyView.extend({ key: z.string() })
export type MadeKey = z.infer<typeof MadeKey>

/** One login of a client that the user allowed, on one machine. */
export interface AllowedClient {
  /** Of the grant. */
  readonly id: string
  /** Self-chosen name. */
  readonly name: string
  /** Host of the client's metadata document; undefined for a registered client. */
  readonly host: string | undefined
  readonly space: { readonly id: string; readonly name: string }
  readonly scope: Scope
  /** Browser in which it was allowed, as a hint at the machine. */
  readonly browser: string | undefined
  readonly allowedAt: string
  /** Last token refresh; clients in use refresh every few minutes. */
  readonly lastUsedAt: string | undefined
}
