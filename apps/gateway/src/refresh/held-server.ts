import type { Hold } from '@nmg/contract'
import { AuthorizationRefused, type AuthorizationServer } from '../ports.ts'
import { heldFailure } from './database-guard.ts'

/** The authorization server, which gets no code and no token while the database is held. Everything that sends one goes through here. */
export function heldServer(server: AuthorizationServer, hold: () => Promise<Hold | undefined>): AuthorizationServer {
  return {
    ...server,
    async discover() {
      if (await hold()) throw heldFailure('authorization_unavailable')
      return server.discover()
    },
    async exchange(request, response) {
      if (await hold()) throw new AuthorizationRefused('authorization_unavailable')
      return server.exchange(request, response)
    },
    async refresh(grant, credential, claim) {
      if (await hold()) return { kind: 'not_redeemed', sign: 'withheld', error: 'database held' }
      return server.refresh(grant, credential, claim)
    },
    async revoke(grant, credential) {
      return (await hold()) ? 'failed' : server.revoke(grant, credential)
    },
  }
}
