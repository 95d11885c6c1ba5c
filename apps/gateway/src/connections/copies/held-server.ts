import type { Hold } from '@nmg/contract'
import { AuthorizationRefused, type AuthorizationServer } from '../authorization-server.ts'
import { holdFailure } from './database-guard.ts'

/** Why no token may leave; undefined when it may. */
export interface HoldReader {
  /** As last found. */
  known(): Hold | undefined
  /** As found on a session that was looked at. @throws {Failure} `store_unavailable`. */
  current(): Promise<Hold | undefined>
}

/** The authorization server, which gets no code and no token while the database is held. Everything that sends one goes through here. */
export function heldServer(server: AuthorizationServer, hold: HoldReader): AuthorizationServer {
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
    async refresh(grant, credential, claim) {
      // The intent was written on a session that was looked at, and could not have been on a copy.
      if (hold.known()) return { kind: 'not_redeemed', sign: 'withheld', error: 'database held' }
      return server.refresh(grant, credential, claim)
    },
    async revoke(grant, credential) {
      const mayBeHeld = await hold.current().catch(() => true)
      return mayBeHeld ? 'failed' : server.revoke(grant, credential)
    },
  }
}
