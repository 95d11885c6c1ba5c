import { z } from 'zod'

export const ConnectionStatus = z.enum(['connected', 'reconnect_required', 'disconnected'])
export type ConnectionStatus = z.infer<typeof ConnectionStatus>

/**
 * Why a connection must be made again.
 * `revoked`: the authorization server ended the grant (a person or an administrator removed it, it was reused, it is unknown).
 * `expired`: its 180 days, or 30 days without a refresh, are over. `client_lost`: the registered client is gone.
 * `refused`: another final refusal, e.g. the server withdrew the grant type.
 * `credentials_lost`: the operator has lost the keys that sealed the credential.
 * `detached`: an operator has detached this copy of a database; the original keeps its grant.
 */
export const ReconnectReason = z.enum(['revoked', 'expired', 'client_lost', 'refused', 'credentials_lost', 'detached'])
export type ReconnectReason = z.infer<typeof ReconnectReason>

/**
 * What the person should know of a connection that still works: its 180 days end in this many days, rounded up, and only a new consent helps.
 * `reconnect_soon` from 14 days before, `reconnect_now` from 3 days before.
 */
export const ConnectionNotice = z.object({
  kind: z.enum(['reconnect_soon', 'reconnect_now']),
  days: z.number().int().nonnegative(),
})
export type ConnectionNotice = z.infer<typeof ConnectionNotice>

/** Times are ISO 8601 in UTC. Optional members are absent when unknown. */
const instant = z.iso.datetime()

/**
 * Why a connected space cannot renew or use its credential right now.
 * - `renewal_refused`: the authorization server refuses to renew, with an error that is not known to be final. Reconnecting helps.
 * - `renewal_unreadable`: it responds with 5xx, or with something that is no token response. Reconnecting may help.
 * - `renewal_unreachable`: there is no connection to it. Only waiting, or the operator's network, helps.
 * - `access_token_missing`: the last token response had a refresh token only. The gateway renews again by itself; reconnecting may help.
 * - `upstream_refuses_token`: the MCP server refuses access tokens that were just issued. Reconnecting may help.
 * - `client_rejected`: the authorization server rejects the fixed client of the settings. The operator checks `NOTION_MCP_CLIENT_ID` and
 *   `NOTION_MCP_CLIENT_SECRET`; reconnecting does not help.
 * - `credential_unreadable`: the stored credential cannot be opened (lost or changed key). Reconnecting helps.
 */
export const DegradedReason = z.enum([
  'renewal_refused',
  'renewal_unreadable',
  'renewal_unreachable',
  'access_token_missing',
  'upstream_refuses_token',
  'client_rejected',
  'credential_unreadable',
])
export type DegradedReason = z.infer<typeof DegradedReason>

export const Degraded = z.object({
  since: instant,
  reason: DegradedReason,
  /** The OAuth error code, or what happened instead in a few words (`HTTP 503`, `no connection`). Never text of a server. */
  lastError: z.string(),
  /** The gateway sends no refresh token before this moment. */
  nextAttemptAt: instant,
})
export type Degraded = z.infer<typeof Degraded>

/**
 * Why the gateway takes its database for a restored or copied one.
 * - `restored_dump`: its rows were written anew, as a dump, a logical replication or `COPY` does.
 * - `other_cluster`: it is in another PostgreSQL cluster than before.
 * - `copied_database`: it is another database of the same cluster (`CREATE DATABASE … TEMPLATE`).
 * - `credentials_missing`: credentials are missing that were stored before: a snapshot was put back, or a failover lost commits.
 * - `timeline_unproven`: it was promoted or recovered, and nothing outside of it says that it is complete.
 * - `other_public_url`: `GATEWAY_PUBLIC_URL` is another one.
 * - `copied_data_folder`: the folder of the embedded database was copied or unpacked.
 * - `moved_away`: an operator is moving it, and this is the original.
 */
export const HoldReason = z.enum([
  'restored_dump',
  'other_cluster',
  'copied_database',
  'credentials_missing',
  'timeline_unproven',
  'other_public_url',
  'copied_data_folder',
  'moved_away',
])
export type HoldReason = z.infer<typeof HoldReason>

/**
 * The whole gateway sends no token to the authorization server, as its database may be a copy. Valid access tokens are used until they end. Only the
 * operator can end this: `npm run database adopt` or `npm run database detach`.
 */
export const Hold = z.object({ since: instant, reasons: z.array(HoldReason).nonempty() })
export type Hold = z.infer<typeof Hold>

/**
 * A consent that reaches another workspace than the connection did, given where `confirm_workspace` was asked for at the start. Nothing uses it until a
 * person confirms it with `POST /integrations/notion/{space_id}/waiting`; until then the connection is what it was.
 */
export const PendingWorkspaceChange = z.object({
  id: z.uuid(),
  /** Absent when Notion did not say which workspace it is. */
  workspaceId: z.string().optional(),
  workspaceName: z.string().optional(),
  by: z.string(),
  at: instant,
  /** After this it cannot be confirmed any more. */
  waitsUntil: instant,
})
export type PendingWorkspaceChange = z.infer<typeof PendingWorkspaceChange>

/** `POST /integrations/notion/{space_id}/waiting`; answers with the connection as it is then. */
export const WorkspaceChangeDecision = z.object({ id: z.uuid(), accept: z.boolean() })
export type WorkspaceChangeDecision = z.infer<typeof WorkspaceChangeDecision>

/** `GET /integrations/notion/{space_id}`. */
export const Connection = z.object({
  spaceId: z.string(),
  /** The connection's event stream; stays the same across reconnects. */
  processId: z.uuid(),
  status: ConnectionStatus,
  connectedAt: instant,
  connectedBy: z.string(),
  workspaceId: z.string().optional(),
  workspaceName: z.string().optional(),
  botId: z.string().optional(),
  tokenExpiresAt: instant.optional(),
  lastRefreshedAt: instant.optional(),
  /** Present while a connected space cannot renew or use its credential. */
  degraded: Degraded.optional(),
  /** Present while nothing is renewed because the gateway's database may be a copy. */
  hold: Hold.optional(),
  /**
   * How many earlier consents of this space may still be valid at the authorization server: they were replaced and could not be revoked, or were
   * not revoked because a fixed client is shared by old and new consents. Absent for none. A person ends them in Notion's settings.
   */
  unrevokedConsents: z.number().int().positive().optional(),
  /** When the grant ends at the latest, if known: 180 days after the consent. */
  reconnectBy: instant.optional(),
  /** Present when the end of the consent is near. */
  notice: ConnectionNotice.optional(),
  /** Present when calls were refused for want of permissions that nobody was asked for; the next consent asks for them. */
  consentRequired: z.literal(true).optional(),
  /** Present exactly when `status` is `reconnect_required`. */
  reason: ReconnectReason.optional(),
  hasMcpToken: z.boolean(),
  waiting: PendingWorkspaceChange.optional(),
})
export type Connection = z.infer<typeof Connection>

/** One entry of `GET /integrations/notion/{space_id}/events`: what happened, without any secret. */
export const HistoryEvent = z.object({
  version: z.number().int().positive(),
  type: z.enum([
    'NotionIntegrationAuthorized',
    'NotionIntegrationTokenRefreshed',
    'NotionIntegrationAuthorizationFailed',
    'NotionIntegrationDisconnected',
  ]),
  occurredAt: instant,
  /** The person who did it; absent where the gateway acted by itself. */
  by: z.string().optional(),
  /** Of a consent that reached another workspace than before: the person who confirmed that this is meant. */
  confirmedBy: z.string().optional(),
  tokenExpiresAt: instant.optional(),
  reason: ReconnectReason.optional(),
  /** The OAuth error code that the authorization server gave, e.g. `invalid_grant`. */
  error: z.string().optional(),
})
export type HistoryEvent = z.infer<typeof HistoryEvent>

export const History = z.object({
  spaceId: z.string(),
  processId: z.uuid(),
  events: z.array(HistoryEvent),
  /** Give this as `before` to get the next, older page; absent on the last page. */
  nextBefore: z.number().int().positive().optional(),
})
export type History = z.infer<typeof History>

/** `DELETE /integrations/notion/{space_id}`. */
export const DisconnectReceipt = z.object({
  spaceId: z.string(),
  processId: z.uuid().optional(),
  status: z.literal('disconnected'),
  /** False when the space was not connected any more (the call changed nothing). */
  changed: z.boolean(),
  /**
   * What became of the grant at the authorization server: `revoked`, `failed` (it did not confirm; the tokens here are
   * destroyed all the same), `not_supported` (it offers no revocation), `nothing_to_revoke`.
   */
  revocation: z.enum(['revoked', 'failed', 'not_supported', 'nothing_to_revoke']),
  /** As in {@link Connection}: earlier consents of this space that this disconnect did not end. */
  unrevokedConsents: z.number().int().positive().optional(),
})
export type DisconnectReceipt = z.infer<typeof DisconnectReceipt>
