import type { DegradedReason } from '@nmg/contract'

interface DegradedText {
  /** What happened. */
  readonly what: string
  /** What still works, and what to do. */
  readonly remedy: string
  /** True if a new consent can help. If not, `remedy` names the settings to check. */
  readonly canReconnect: boolean
}

/** Texts of each reason. A missing reason does not compile. */
export const degradedTexts = {
  renewal_refused: {
    what: 'Notion refuses to renew this space’s access.',
    remedy: 'Calls work until the current access token expires. Reconnecting replaces the access.',
    canReconnect: true,
  },
  renewal_unreadable: {
    what: 'Notion responds to renewals with an error.',
    remedy: 'Calls work until the current access token expires. If this lasts, reconnecting may help.',
    canReconnect: true,
  },
  renewal_unreachable: {
    what: 'The gateway can’t reach Notion to renew this space’s access.',
    remedy:
      'Calls work until the current access token expires. Reconnecting doesn’t help. If this lasts, ask your administrator to check the gateway’s network, HTTPS_PROXY and NO_PROXY, and NOTION_MCP_TOKEN_ENDPOINT if it is set.',
    canReconnect: false,
  },
  access_token_missing: {
    what: 'Notion’s last renewal came without an access token.',
    remedy: 'Calls fail until the next renewal succeeds. Reconnecting may help sooner.',
    canReconnect: true,
  },
  upstream_refuses_token: {
    what: 'Notion refuses access tokens that it has just issued.',
    remedy: 'Calls fail for now. Reconnecting may help.',
    canReconnect: true,
  },
  client_rejected: {
    what: 'Notion rejects the client ID or client secret in the gateway’s settings.',
    remedy:
      'Calls work until the current access token expires. Reconnecting doesn’t help. Ask your administrator to check NOTION_MCP_CLIENT_ID and NOTION_MCP_CLIENT_SECRET.',
    canReconnect: false,
  },
  credential_unreadable: {
    what: 'The gateway can’t open this space’s stored credential: its encryption key is missing or has changed.',
    remedy:
      'Calls fail. Reconnecting stores a new credential. If CREDENTIAL_KEYS was changed by mistake, your administrator can put the old key back instead.',
    canReconnect: true,
  },
} as const satisfies Record<DegradedReason, DegradedText>
