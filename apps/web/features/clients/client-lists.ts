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
  /** As it calls itself: text of a stranger. */
  name: z.string(),
  version: z.string().optional(),
  /** The name that it logs in with, and the host that proves it is its own where it has one; or the name that its key was given. */
  by: z.object({ kind: z.enum(['login', 'key']), name: z.string(), host: z.string().optional() }),
  firstSeenAt: instant,
  lastSeenAt: instant,
})
export type CallerView = z.infer<typeof CallerView>

/** `GET /api/spaces/{spaceId}/clients`: what is there of the user's own. */
export const ClientLists = z.object({ keys: z.array(KeyView), callers: z.array(CallerView) })
export type ClientLists = z.infer<typeof ClientLists>

/** For how many days a new key is good; 0 for until it is deleted. */
export const KEY_DAYS = [30, 90, 365, 0] as const

/** `POST /api/spaces/{spaceId}/keys`. */
export const NewKey = z.object({
  name: DisplayName,
  scope: Scope,
  days: z.literal([...KEY_DAYS]),
})
export type NewKey = z.infer<typeof NewKey>

/** The only answer with the key itself. */
export const MadeKey = KeyView.extend({ key: z.string() })
export type MadeKey = z.infer<typeof MadeKey>

/** One login of a client that the user allowed, on one machine. */
export interface AllowedClient {
  /** Of the grant. */
  readonly id: string
  /** As it calls itself. */
  readonly name: string
  /** The host that describes it; undefined for one that registered. */
  readonly host: string | undefined
  readonly space: { readonly id: string; readonly name: string }
  readonly scope: Scope
  /** In which it was allowed: tells one machine from another. */
  readonly browser: string | undefined
  readonly allowedAt: string
  /** When it last renewed its access, which clients do every few minutes while they are used. */
  readonly lastUsedAt: string | undefined
}
