import { z } from 'zod'

export const ConnectionStatus = z.enum(['connected', 'reconnect_required', 'disconnected'])
export type ConnectionStatus = z.infer<typeof ConnectionStatus>

/**
 * Why a space must be connected again.
 * `revoked`: the authorization server ended the grant (a user or an administrator removed it, a refresh token was reused, or it is unknown).
 * `expired`: after 180 days, or after 30 days without a refresh. `client_lost`: the registered client no longer exists.
 * `refused`: another final refusal, e.g. the server withdrew the grant type.
 * `credentials_lost`: the operator has lost the keys that encrypt the credential.
 * `detached`: an operator has detached this copy of the database; the original keeps the grant.
 */
export const ReconnectReason = z.enum(['revoked', 'expired', 'client_lost', 'refused', 'credentials_lost', 'detached'])
export type ReconnectReason = z.infer<typeof ReconnectReason>

/**
 * A notice about a connection that still works: its consent expires in this number of days, rounded up, and must be renewed by a user.
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
 * Why a connected space currently cannot renew or use its credential.
 * - `renewal_refused`: the authorization server refuses to renew, with an error that is not known to be final. Reconnecting helps.
 * - `renewal_unreadable`: it responds with 5xx, or with something that is not a token response. Reconnecting may help.
 * - `renewal_unreachable`: the authorization server cannot be reached. Users can only wait; the operator checks the network.
 * - `access_token_missing`: the last token response contained only a refresh token. The gateway retries; reconnecting may help.
 * - `upstream_refuses_token`: the MCP server refuses access tokens that were just issued. Reconnecting may help.
 * - `client_rejected`: the authorization server rejects the fixed client of the settings. The operator checks `NOTION_MCP_CLIENT_ID` and
 *   `NOTION_MCP_CLIENT_SECRET`; reconnecting does not help.
 * - `credential_unreadable`: the stored credential cannot be decrypted (lost or changed key). Reconnecting helps.
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
  /** The OAuth error code, or a short description (`HTTP 503`, `no connection`). Never text from a server. */
  lastError: z.string(),
  /** The gateway does not send the refresh token before this time. */
  nextAttemptAt: instant,
})
export type Degraded = z.infer<typeof Degraded>

/**
 * Why the gateway considers its database a restored or copied one.
 * - `restored_dump`: its rows were rewritten, as by a dump, logical replication or `COPY`.
 * - `other_cluster`: it is in another PostgreSQL cluster than before.
 * - `copied_database`: it is another database of the same cluster (`CREATE DATABASE … TEMPLATE`).
 * - `credentials_missing`: stored credentials are missing: a snapshot was restored, or a failover lost commits.
 * - `timeline_unproven`: it was promoted or recovered, and no external record proves that it is complete.
 * - `other_public_url`: `GATEWAY_PUBLIC_URL` has changed.
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
 * The gateway sends no tokens to the authorization server, because its database may be a copy. Access tokens are used until they expire. Only the
 * operator can lift the hold, with `npm run database adopt` or `npm run database detach`.
 */
export const Hold = z.object({ since: instant, reasons: z.array(HoldReason).nonempty() })
export type Hold = z.infer<typeof Hold>

/**
 * A consent for another workspace than the connected one, where the start asked for `confirm_workspace`. The connection stays unchanged until a
 * user confirms it with `POST /integrations/notion/{space_id}/waiting`.
 */
export const PendingWorkspaceChange = z.object({
  id: z.uuid(),
  /** Absent when Notion did not name the workspace. */
  workspaceId: z.string().optional(),
  workspaceName: z.string().optional(),
  by: z.string(),
  at: instant,
  /** It can be confirmed until then. */
  waitsUntil: instant,
})
export type PendingWorkspaceChange = z.infer<typeof PendingWorkspaceChange>

/** `POST /integrations/notion/{space_id}/waiting`; responds with the resulting connection. */
export const WorkspaceChangeDecision = z.object({ id: z.uuid(), accept: z.boolean() })
export type WorkspaceChangeDecision = z.infer<typeof WorkspaceChangeDecision>

/** `GET /integrations/notion/{space_id}`. */
export const Connection = z.object({
  spaceId: z.string(),
  /** The id of the connection's event stream; stays the same across reconnects. */
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
  /** Present while the gateway renews nothing because its database may be a copy. */
  hold: Hold.optional(),
  /**
   * Number of earlier consents of this space that may still be valid at the authorization server: they were replaced and could not be revoked, or were
   * not revoked because old and new consents share a fixed client. Absent for none. Users remove them in Notion's settings.
   */
  unrevokedConsents: z.number().int().positive().optional(),
  /** The latest expiry of the grant, if known: 180 days after the consent. */
  reconnectBy: instant.optional(),
  /** Present when the consent expires soon. */
  notice: ConnectionNotice.optional(),
  /** Present when calls were refused because of missing scopes; the next consent requests them. */
  consentRequired: z.literal(true).optional(),
  /** Present exactly when `status` is `reconnect_required`. */
  reason: ReconnectReason.optional(),
  hasMcpToken: z.boolean(),
  waiting: PendingWorkspaceChange.optional(),
})
export type Connection = z.infer<typeof Connection>

/** One entry of `GET /integrations/notion/{space_id}/events`, without secrets. */
export const HistoryEvent = z.object({
  version: z.number().int().positive(),
  type: z.enum([
    'NotionIntegrationAuthorized',
    'NotionIntegrationTokenRefreshed',
    'NotionIntegrationAuthorizationFailed',
    'NotionIntegrationDisconnected',
  ]),
  occurredAt: instant,
  /** The user who caused the event; absent for events that the gateway caused. */
  by: z.string().optional(),
  /** The user who confirmed the workspace change. */
  confirmedBy: z.string().optional(),
  tokenExpiresAt: instant.optional(),
  reason: ReconnectReason.optional(),
  /** The OAuth error code of the authorization server, e.g. `invalid_grant`. */
  error: z.string().optional(),
})
export type HistoryEvent = z.infer<typeof HistoryEvent>

export const History = z.object({
  spaceId: z.string(),
  processId: z.uuid(),
  events: z.array(HistoryEvent),
  /** The value of `before` for the next, older page; absent on the last page. */
  nextBefore: z.number().int().positive().optional(),
})
export type History = z.infer<typeof History>

/** `DELETE /integrations/notion/{space_id}`. */
export const DisconnectReceipt = z.object({
  spaceId: z.string(),
  processId: z.uuid().optional(),
  status: z.literal('disconnected'),
  /** False when the space was already disconnected. */
  changed: z.boolean(),
  /**
   * The result of revoking the grant at the authorization server: `revoked`, `failed` (not confirmed; the stored tokens are destroyed
   * anyway), `not_supported` (the server offers no revocation), `nothing_to_revoke`.
   */
  revocation: z.enum(['revoked', 'failed', 'not_supported', 'nothing_to_revoke']),
  /** As in {@link Connection}: earlier consents of this space that this disconnect did not revoke. */
  unrevokedConsents: z.number().int().positive().optional(),
})
export type DisconnectReceipt = z.infer<typeof DisconnectReceipt>
