import { beyond, unionOf } from './oauth/scope.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'

export interface RequestStepUpDependencies {
  readonly log: Log
  readonly store: Pick<ConnectionStore, 'read' | 'requestStepUp'>
}

/** Resolves to whether a consent would help a call that upstream refused for want of this scope. Never throws. */
export type RequestStepUp = (spaceId: string, scope: string) => Promise<boolean>

/** Calls that lack something at the same moment write it down one after the other. */
const ATTEMPTS = 5

/** Keeps beside the connection what calls are refused for want of, so that the next consent asks for it. */
export function requestStepUp({ log, store }: RequestStepUpDependencies): RequestStepUp {
  return async (spaceId, scope) => {
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const stored = await store.read(spaceId)
        const wanted = stepUpScopeWith(stored, scope)
        if (wanted === undefined) return false
        if (wanted === stored.stepUpScope || (await store.requestStepUp(stored, wanted))) return true
      }
    } catch (error) {
      // The refusal that came is an answer, too.
      log.warn('connection.scope_not_kept', { space: spaceId, ...describeError(error) })
    }
    return false
  }
}

/**
 * @returns undefined where a consent would bring nothing: all of it has been asked for already, so it was not granted or is of no help; asking for
 * more was refused before; or there is no room for it.
 */
function stepUpScopeWith({ connection, stepUpScope }: StoredConnection, scope: string): string | undefined {
  if (connection.status !== 'connected' || stepUpScope === ASKING_WAS_REFUSED) return undefined
  const had = connection.grant.scope
  const all = unionOf(had, stepUpScope, scope)
  if (beyond(scope, had) === null || beyond(scope, all) !== null) return undefined
  return beyond(all, had) ?? undefined
}

/** In place of a wanted scope: the authorization server knows no such scope, and is asked for no more than it names until the space is disconnected. */
export const ASKING_WAS_REFUSED = ''

/** After a consent that was refused for what it asked for: the next one can be given. @throws {Failure} `store_unavailable`. */
export async function askForLess(store: RequestStepUpDependencies['store'], spaceId: string): Promise<void> {
  const stored = await store.read(spaceId)
  if (stored.stepUpScope !== ASKING_WAS_REFUSED) await store.requestStepUp(stored, ASKING_WAS_REFUSED)
}
