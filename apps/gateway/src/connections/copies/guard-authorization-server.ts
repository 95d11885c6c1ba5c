import type { Hold } from '@nmg/contract'
import { AuthorizationRefused, type AuthorizationServer } from '../authorization-server.ts'
import { holdFailure } from './database-guard.ts'

/** Why no token may be sent; undefined if tokens may be sent. */
export interface HoldReader {
  /** The last known hold. */
  known(): Hold | undefined
  /** The hold as checked on the current session. @throws {Failure} `store_unavailable`. */
  current(): Promise<Hold | undefined>
}

/** Wraps the authorization server so that it gets no code and no token while the database is held. */
export function guardAuthorizationServer(server: AuthorizationServer, hold: HoldReader): AuthorizationServer {
  return {
    ...server,
    async discover() {
      if (await hold.current()) throw holdFailure('authorization_unavailable')
      return server.discover()
    },
    async exchange(request, response) {
      if (await hold.current()) throw new AuthorizationRefused('authorization_unavailable')
      return server.exchange(request, response)
    },
    async refresh(grant, credential, permit) {
      // No check needed here: the intent was written on a checked session, which fails on a copy.
      if (hold.known()) return { kind: 'not_redeemed', symptom: 'not_sent', error: 'database held' }
      return server.refresh(grant, credential, permit)
    },
    async revoke(grant, credential) {
      const mayBeHeld = await hold.current().catch(() => true)
      return mayBeHeld ? 'failed' : server.revoke(grant, credential)
    },
  }
}
