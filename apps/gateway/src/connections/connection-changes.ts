import type { Notifications } from '../platform/notifications.ts'

/** Payload: `<version> <space id>`, with `!` after the version of a disconnect. */
export const CONNECTION_CHANNEL = 'gateway_connection_changed'

/** Changes of connections on all replicas. */
export interface ConnectionChanges extends Pick<Notifications, 'isConnected' | 'onGap'> {
  /** `isDisconnected`: a user disconnected the space. */
  onChange(listener: (spaceId: string, version: number, isDisconnected: boolean) => void): void
  /** Resolves at the next change of this space, but after `ms` at the latest. */
  next(spaceId: string, ms: number): Promise<void>
}

export function connectionChanges(notifications: Notifications): ConnectionChanges {
  const listeners = new Set<(spaceId: string, version: number, isDisconnected: boolean) => void>()
  const waiting = new Map<string, Set<() => void>>()

  notifications.on(CONNECTION_CHANNEL, (payload) => {
    const { version, isDisconnected, spaceId } = parsePayload(payload)
    for (const listener of listeners) listener(spaceId, version, isDisconnected)
    for (const wake of waiting.get(spaceId) ?? []) wake()
  })

  return {
    isConnected: () => notifications.isConnected(),
    onGap: (listener) => notifications.onGap(listener),
    onChange: (listener) => void listeners.add(listener),
    next(spaceId, ms) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const wakes = waiting.get(spaceId) ?? new Set()
      waiting.set(spaceId, wakes.add(resolve))
      const timer = setTimeout(resolve, ms)
      return promise.finally(() => {
        clearTimeout(timer)
        wakes.delete(resolve)
        if (wakes.size === 0 && waiting.get(spaceId) === wakes) waiting.delete(spaceId)
      })
    },
  }
}

function parsePayload(payload: string): { version: number; isDisconnected: boolean; spaceId: string } {
  const at = payload.indexOf(' ')
  return {
    version: Number.parseInt(payload, 10),
    isDisconnected: payload[at - 1] === '!',
    spaceId: payload.slice(at + 1),
  }
}
