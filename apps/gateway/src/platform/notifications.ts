import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from './log.ts'
import type { Revoked } from '../clients/access.ts'
import type { AccessNews } from '../clients/ports.ts'
import type { Changes } from './notifications-port.ts'
import { ACCESS_CHANNEL, readRevoked } from '../clients/postgres-client-access.ts'
import { openSession } from './database.ts'

/** Payload: `<version> <space id>`, with `!` behind the version when somebody disconnected. */
export const CHANGES_CHANNEL = 'gateway_connection_changed'

/** How long a line that went silent counts as alive: a heartbeat is asked this often, and answered within the statement time-out. */
const HEARTBEAT_MS = 2_000

/** News over LISTEN/NOTIFY, on a session of its own. Reconnects by itself. */
export async function postgresChanges(url: string, log: Log): Promise<Changes & AccessNews & { close(): void }> {
  const listeners = new Set<(spaceId: string, version: number, hasEnded: boolean) => void>()
  const revocationListeners = new Set<(revoked: Revoked) => void>()
  const interruptions = new Set<() => void>()
  const waiting = new Map<string, Set<() => void>>()
  let session: Awaited<ReturnType<typeof openSession>> | undefined
  let closed = false

  const connect = async () => {
    const opened = await openSession(url, () => {
      if (session !== opened) return
      session = undefined
      for (const listener of interruptions) listener()
      if (closed) return
      log.warn('changes.interrupted')
      void reconnect()
    })
    opened.client.on('notification', ({ channel, payload }) => {
      if (channel === ACCESS_CHANNEL) {
        const revoked = readRevoked(payload ?? '')
        if (revoked) for (const listener of revocationListeners) listener(revoked)
        // Said by a newer version, in words that this one does not know: then nothing in memory is certain.
        else for (const listener of interruptions) listener()
        return
      }
      const { version, hasEnded, spaceId } = split(payload ?? '')
      for (const listener of listeners) listener(spaceId, version, hasEnded)
      for (const wake of waiting.get(spaceId) ?? []) wake()
    })
    await opened.query(`listen ${CHANGES_CHANNEL}`)
    await opened.query(`listen ${ACCESS_CHANNEL}`)
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
    isLive: () => session !== undefined,
    onChange: (listener) => void listeners.add(listener),
    onRevoked: (listener) => void revocationListeners.add(listener),
    onInterruption: (listener) => void interruptions.add(listener),
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
    close() {
      closed = true
      clearInterval(heartbeat)
      session?.destroy()
    },
  }
}

function split(payload: string): { version: number; hasEnded: boolean; spaceId: string } {
  const at = payload.indexOf(' ')
  return { version: Number.parseInt(payload, 10), hasEnded: payload[at - 1] === '!', spaceId: payload.slice(at + 1) }
}
