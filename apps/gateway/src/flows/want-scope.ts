import { goesBeyond, unionOf } from '../domain/upstream-scope.ts'
import type { ConnectionStore } from '../ports.ts'

export type WantScope = (spaceId: string, scope: string) => Promise<boolean>

/**
 * Keeps that upstream refuses calls of this space for want of `scope`, so that the next consent asks for it.
 *
 * @returns false where a consent would bring nothing: all of it has been asked for already, so it was not granted, or is of no help.
 * @throws {Failure} `store_unavailable`.
 */
export function wantScope(store: Pick<ConnectionStore, 'read' | 'wantScope'>): WantScope {
  return async (spaceId, scope) => {
    const { stream, connection, wantedScope } = await store.read(spaceId)
    if (connection.status !== 'connected' || !goesBeyond(scope, connection.grant.scope)) return false
    const wanted = unionOf(wantedScope, scope)
    if (wanted === null || goesBeyond(scope, wanted)) return false
    if (wanted !== wantedScope) await store.wantScope(stream, wanted)
    return true
  }
}
