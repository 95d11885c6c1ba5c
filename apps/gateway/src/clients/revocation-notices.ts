import { z } from 'zod'
import type { Notifications } from '../platform/notifications.ts'
import type { AccessRevocation } from './revocations.ts'

/** Payload: {@link AccessRevocation} as JSON. */
export const ACCESS_CHANNEL = 'gateway_access_revoked'

/** Notifies of revocations on any replica. */
export interface RevocationNotices extends Pick<Notifications, 'isConnected'> {
  onRevoked(listener: (revocation: AccessRevocation) => void): void
  /** Calls back when a revocation may have been missed, or could not be parsed: state in memory may be outdated. */
  onGap(listener: () => void): void
}

export function revocationNotices(notifications: Notifications): RevocationNotices {
  const gapListeners = new Set<() => void>()
  const listeners = new Set<(revocation: AccessRevocation) => void>()

  notifications.onGap(() => gapListeners.forEach((listener) => listener()))
  notifications.on(ACCESS_CHANNEL, (payload) => {
    const revocation = parseRevocation(payload)
    if (revocation) for (const listener of listeners) listener(revocation)
    // A newer release may send an unknown format. Its meaning is unknown, so all state in memory counts as outdated.
    else for (const listener of gapListeners) listener()
  })

  return {
    isConnected: () => notifications.isConnected(),
    onRevoked: (listener) => void listeners.add(listener),
    onGap: (listener) => void gapListeners.add(listener),
  }
}

const Payload = z.union([
  z.object({ keyId: z.string() }),
  z.object({
    spaceId: z.string(),
    userId: z.string(),
    clientId: z.string().optional(),
    grantId: z.string().optional(),
  }),
])

/** Parses a notification; undefined if its format is unknown, for example that of a newer release. */
function parseRevocation(payload: string): AccessRevocation | undefined {
  try {
    const revocation = Payload.parse(JSON.parse(payload))
    return 'keyId' in revocation
      ? revocation
      : { ...revocation, clientId: revocation.clientId, grantId: revocation.grantId }
  } catch {
    return undefined
  }
}
