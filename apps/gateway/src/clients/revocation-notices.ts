import { z } from 'zod'
import type { Notifications } from '../platform/notifications.ts'
import type { Revoked } from './access.ts'

/** Payload: JSON of {@link Revoked}. */
export const ACCESS_CHANNEL = 'gateway_access_revoked'

/** Revocations of access, on any replica. */
export interface RevocationNotices extends Pick<Notifications, 'isConnected'> {
  onRevoked(listener: (revoked: Revoked) => void): void
  /** Calls back when revocations may have been missed, or one could not be read: whatever is in memory may be outdated. */
  onGap(listener: () => void): void
}

export function revocationNotices(notifications: Notifications): RevocationNotices {
  const gapListeners = new Set<() => void>()
  const listeners = new Set<(revoked: Revoked) => void>()

  notifications.onGap(() => gapListeners.forEach((listener) => listener()))
  notifications.on(ACCESS_CHANNEL, (payload) => {
    const revoked = readRevoked(payload)
    if (revoked) for (const listener of listeners) listener(revoked)
    // A newer release may send a form that this one does not know: then nothing in memory is certain.
    else for (const listener of gapListeners) listener()
  })

  return {
    isConnected: () => notifications.isConnected(),
    onRevoked: (listener) => void listeners.add(listener),
    onGap: (listener) => void gapListeners.add(listener),
  }
}

const Revocation = z.union([
  z.object({ keyId: z.string() }),
  z.object({
    spaceId: z.string(),
    userId: z.string(),
    clientId: z.string().optional(),
    grantId: z.string().optional(),
  }),
])

/** What a replica tells the others. Undefined for what is not understood, as it may come from a newer one. */
function readRevoked(payload: string): Revoked | undefined {
  try {
    const revoked = Revocation.parse(JSON.parse(payload))
    return 'keyId' in revoked ? revoked : { ...revoked, clientId: revoked.clientId, grantId: revoked.grantId }
  } catch {
    return undefined
  }
}
