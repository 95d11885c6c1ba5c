/** Encodes connection events and states as JSON. Stored events are never rewritten, so new members must be optional. */
import { ReconnectReason } from '@nmg/contract'
import { z } from 'zod'
import type { Connection, ConnectionEvent } from './connection.ts'

/** Reasons of later releases are decoded as `refused`, since all of them mean that the grant is lost. */
const Reason = ReconnectReason.catch('refused')

const instant = z.iso.datetime().transform((text) => new Date(text))

const SealedCredentialJson = z.object({
  sealed: z.string(),
  keyId: z.string(),
  generation: z.number().int(),
  expiresAt: instant.nullable(),
  // Earlier releases stored only renewable credentials.
  isRenewable: z.boolean().default(true),
})

const GrantJson = z.object({
  issuer: z.string(),
  tokenEndpoint: z.string(),
  revocationEndpoint: z.string().nullable(),
  resource: z.string().nullable(),
  // Earlier releases did not store it.
  scope: z.string().nullable().default(null),
  authorizedAt: instant,
  authorizedBy: z.string(),
})

const EventJson = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('NotionIntegrationAuthorized'),
    at: instant,
    by: z.string(),
    confirmedBy: z.string().optional(),
    grant: GrantJson,
    credential: SealedCredentialJson,
  }),
  z.object({
    type: z.literal('NotionIntegrationTokenRefreshed'),
    at: instant,
    credential: SealedCredentialJson,
    grant: GrantJson.optional(),
  }),
  z.object({
    type: z.literal('NotionIntegrationAuthorizationFailed'),
    at: instant,
    error: z.string(),
    reason: Reason,
    generation: z.number().int(),
  }),
  z.object({ type: z.literal('NotionIntegrationDisconnected'), at: instant, by: z.string() }),
])

const ConnectionJson = z.discriminatedUnion('status', [
  z.object({ status: z.literal('absent') }),
  z.object({
    status: z.literal('connected'),
    grant: GrantJson,
    credential: SealedCredentialJson,
    lastRefreshedAt: instant.nullable(),
  }),
  z.object({
    status: z.literal('reconnect_required'),
    grant: GrantJson,
    lastRefreshedAt: instant.nullable(),
    since: instant,
    error: z.string(),
    reason: Reason,
  }),
  z.object({ status: z.literal('disconnected'), grant: GrantJson, since: instant, by: z.string() }),
])

const PendingAuthorizationJson = z.object({
  id: z.string(),
  by: z.string(),
  at: instant,
  waitsUntil: instant,
  workspace: z.object({ id: z.string().optional(), name: z.string().optional(), botId: z.string().optional() }),
  grant: GrantJson,
  sealed: z.string(),
  expiresAt: instant.nullable(),
})

/** @throws {z.ZodError} when this release does not know the form. */
export const decodePendingAuthorization = (json: unknown): z.infer<typeof PendingAuthorizationJson> =>
  PendingAuthorizationJson.parse(json)

/** @throws {z.ZodError} when this release does not know the event. */
export const decodeEvent = (json: unknown): ConnectionEvent => EventJson.parse(json)

/** @throws {z.ZodError} when this release does not know the state. */
export const decodeConnection = (json: unknown): Connection => ConnectionJson.parse(json)

/** Dates are encoded as ISO 8601 in UTC. */
export const encode = (value: ConnectionEvent | Connection): string => JSON.stringify(value)
