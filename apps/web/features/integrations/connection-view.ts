import type { ReconnectReason } from '@nmg/contract'
import type { ConnectionResponse, SpaceConnection } from './connection-response.ts'
import { degradedTexts } from './degraded.ts'

/** All that the integration dialog can show. */
export type ConnectionView =
  | { status: 'not_connected' }
  | { status: 'connecting' }
  | {
      status: 'connected'
      connection: SpaceConnection
      /** Why the last call did not reach Notion, until one may have. The connection itself is fine. */
      notionTrouble?: string
    }
  | { status: 'reconnect_required'; connection: SpaceConnection; reason: ReconnectReason }
  | { status: 'disconnected'; connection: SpaceConnection }
  | { status: 'gateway_unreachable'; detail: string }

export function viewOf({ integration }: ConnectionResponse): ConnectionView {
  switch (integration?.status) {
    case undefined:
      return { status: 'not_connected' }
    case 'connected':
      return { status: 'connected', connection: integration }
    case 'disconnected':
      return { status: 'disconnected', connection: integration }
    case 'reconnect_required':
      return { status: 'reconnect_required', connection: integration, reason: integration.reason ?? 'refused' }
  }
}

/** Why a call did not reach Notion although the space is connected, by the code of the problem. */
const notionTroubles: Record<string, string> = {
  upstream_unreachable: 'Notion cannot be reached at the moment.',
  outcome_unknown: 'Notion cannot be reached at the moment.',
  upstream_timeout: 'Notion takes too long to answer at the moment.',
  refresh_unavailable:
    'Notion does not renew the access at the moment. The connection is kept, and the gateway tries again.',
}

export const notionTroubleOf = (code: string): string | undefined =>
  Object.hasOwn(notionTroubles, code) ? notionTroubles[code] : undefined

/**
 * Whether a new consent helps a connected space now. While it is degraded only that reason counts: where a consent cannot complete, an ending
 * permission is no reason to offer one.
 */
export function isReconnectUseful({ degraded, notice, consentRequired }: SpaceConnection): boolean {
  if (degraded) return degradedTexts[degraded.reason].canReconnect
  return notice !== undefined || consentRequired === true
}

/** Why the connection must be made again, in plain words. */
export const reconnectReasons = {
  revoked:
    'Notion ended the access, most likely because somebody removed it in Notion’s settings. Nothing works through it until you connect again.',
  expired: 'The permission has run out. Notion asks for a new one after 180 days, or after 30 days without use.',
  client_lost: 'Notion no longer knows this app’s registration. Connecting again registers it anew.',
  refused: 'Notion refuses the access for good. Connecting again asks for a new permission.',
  credentials_lost: 'The server has lost the key to this connection. Connecting again asks for a new permission.',
  detached:
    'This is a copy of another installation, and its operator removed the copied login. Connecting again asks for a new permission.',
} as const satisfies Record<ReconnectReason, string>
