import type { ReconnectReason } from '@nmg/contract'
import type { ConnectionResponse, SpaceConnection } from './connection-response.ts'
import { degradedTexts } from './degraded.ts'

/** States of the integration dialog. */
export type ConnectionView =
  | { status: 'not_connected' }
  | { status: 'connecting' }
  | {
      status: 'connected'
      connection: SpaceConnection
      /** Why the last call did not reach Notion; cleared by the next success. The connection itself is healthy. */
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

/** Why a call did not reach Notion although the space is connected, by problem code. */
const notionTroubles: Record<string, string> = {
  upstream_unreachable: 'Notion can’t be reached right now.',
  outcome_unknown: 'Notion can’t be reached right now.',
  upstream_timeout: 'Notion is taking too long to respond.',
  refresh_unavailable:
    'Notion isn’t renewing the access right now. The connection is kept, and the gateway will try again.',
}

export const notionTroubleOf = (code: string): string | undefined =>
  Object.hasOwn(notionTroubles, code) ? notionTroubles[code] : undefined

/**
 * True if a new consent helps a connected space now. While the connection is degraded, only that reason counts: an expiring consent is no
 * reason to offer a reconnect that cannot complete.
 */
export function isReconnectUseful({ degraded, notice, consentRequired }: SpaceConnection): boolean {
  if (degraded) return degradedTexts[degraded.reason].canReconnect
  return notice !== undefined || consentRequired === true
}

/** Why the space must reconnect. */
export const reconnectReasons = {
  revoked:
    'Notion ended the access, probably because someone removed it in Notion’s settings. Reconnect to restore it.',
  expired:
    'The access has expired. Notion requires a new consent after 180 days, or after 30 days without use. Reconnect to restore it.',
  client_lost: 'Notion no longer recognizes this app’s registration. Reconnect to register it again.',
  refused: 'Notion permanently refuses this access. Reconnect to request a new consent.',
  credentials_lost: 'The server has lost the key to this connection. Reconnect to request a new consent.',
  detached:
    'This is a copy of another installation, and its administrator removed the copied login. Reconnect to request a new consent.',
} as const satisfies Record<ReconnectReason, string>
