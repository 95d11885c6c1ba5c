import { subtractScopes, mergeScopes } from './oauth/scope.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'

export interface RequestStepUpDependencies {
  readonly log: Log
  readonly store: Pick<ConnectionStore, 'read' | 'requestStepUp'>
}

/** Records a missing scope. Resolves to true if a new consent may grant it. Never throws. */
export type RequestStepUp = (spaceId: string, scope: string) => Promise<boolean>

/** Concurrent calls with missing scopes conflict and retry. */
const ATTEMPTS = 5

/** Stores the scopes that calls lacked, so that the next consent requests them (step-up authorization). */
export function requestStepUp({ log, store }: RequestStepUpDependencies): RequestStepUp {
  return async (spaceId, scope) => {
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const stored = await store.read(spaceId)
        const stepUpScope = stepUpScopeWith(stored, scope)
        if (stepUpScope === undefined) return false
        if (stepUpScope === stored.stepUpScope || (await store.requestStepUp(stored, stepUpScope))) return true
      }
    } catch (error) {
      // The caller still gets upstream's 403.
      log.warn('connection.step_up_not_stored', { space: spaceId, ...describeError(error) })
    }
    return false
  }
}

/**
 * @returns undefined if a consent would not help: it has requested all these scopes before, the server refused a step-up before, or the
 * combined scope would be too long.
 */
function stepUpScopeWith({ connection, stepUpScope }: StoredConnection, scope: string): string | undefined {
  if (connection.status !== 'connected' || stepUpScope === STEP_UP_REFUSED) return undefined
  const requested = connection.grant.scope
  const all = mergeScopes(requested, stepUpScope, scope)
  if (subtractScopes(scope, requested) === null || subtractScopes(scope, all) !== null) return undefined
  return subtractScopes(all, requested) ?? undefined
}

/** Stored instead of a scope after the authorization server refused a step-up: no further ones are requested until the space is disconnected. */
export const STEP_UP_REFUSED = ''

/** Stops requesting additional scopes after the server refused them, so that the next consent succeeds. @throws {Failure} `store_unavailable`. */
export async function refuseStepUp(store: RequestStepUpDependencies['store'], spaceId: string): Promise<void> {
  const stored = await store.read(spaceId)
  if (stored.stepUpScope !== STEP_UP_REFUSED) await store.requestStepUp(stored, STEP_UP_REFUSED)
}
