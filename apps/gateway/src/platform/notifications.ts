import { setTimeout as sleep } from 'node:timers/promises'
import { openSession } from './database.ts'
import type { Log } from './log.ts'

/** Interval of the heartbeat that detects a silent connection; it fails after the statement time-out. */
const HEARTBEAT_MS = 2_000

/** Notifications from all replicas, including this one. */
export interface Notifications {
  /** False while notifications may be missed; caches must not be used then. */
  isConnected(): boolean
  /** Calls `listener` with the payload of each notification on the channel. */
  on(channel: string, listener: (payload: string) => void): void
  /** Calls `listener` when notifications may have been missed; caches may be outdated and must be cleared. */
  onGap(listener: () => void): void
}

/** PostgreSQL's LISTEN/NOTIFY on a dedicated session, which is reopened when it breaks. */
export async function postgresNotifications(
  url: string,
  channels: readonly string[],
  log: Log,
): Promise<Notifications & { close(): void }> {
  const listeners = new Map(channels.map((channel) => [channel, new Set<(payload: string) => void>()]))
  const gapListeners = new Set<() => void>()
  let session: Awaited<ReturnType<typeof openSession>> | undefined
  let closed = false

  const connect = async () => {
    const opened = await openSession(url, () => {
      if (session !== opened) return
      session = undefined
      for (const listener of gapListeners) listener()
      if (closed) return
      log.warn('notifications.interrupted')
      void reconnect()
    })
    opened.client.on('notification', ({ channel, payload }) => {
      for (const listener of listeners.get(channel) ?? []) listener(payload ?? '')
    })
    for (const channel of channels) await opened.query(`listen ${channel}`)
    session = opened
  }

  const reconnect = async () => {
    for (let attempt = 0; !closed && !session; attempt++) {
      await sleep(Math.min(5_000, 100 * 2 ** attempt))
      await connect().catch(() => undefined)
    }
  }

  await connect()
  const heartbeat = setInterval(() => {
    const beating = session
    beating?.query('select 1').catch(() => beating.destroy())
  }, HEARTBEAT_MS)
  heartbeat.unref()

  return {
    isConnected: () => session !== undefined,
    on(channel, listener) {
      const subscribed = listeners.get(channel)
      if (!subscribed) throw new Error(`not subscribed to ${channel}`)
      subscribed.add(listener)
    },
    onGap: (listener) => void gapListeners.add(listener),
    close() {
      closed = true
      clearInterval(heartbeat)
      session?.destroy()
    },
  }
}
