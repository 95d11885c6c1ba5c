/** Prevents tokens from being sent while the database may be a copy: the original may have spent them and would lose its grants. */
import type { Hold, HoldReason } from '@nmg/contract'
import type { Sql } from '../../platform/database.ts'
import type { CredentialMark } from './credential-mark.ts'
import { isSharedReason, compareIdentity } from './database-identity.ts'
import {
  acceptPromotion,
  adoptDatabase,
  readCount,
  readDatabaseState,
  recordFacts,
  writeHold,
  type DatabaseState,
  type ProcessProperties,
} from './postgres-database-identity.ts'
import { Failure } from '../../platform/failure.ts'
import type { Log } from '../../platform/log.ts'

export interface DatabaseGuard {
  /**
   * Checks the database of `session` and updates {@link hold}. Must be called on each new session before a token is sent.
   *
   * @throws {Failure} `store_unavailable`.
   */
  check(session: Sql): Promise<void>
  /** Why no token may be sent; undefined if tokens may be sent. */
  hold(): Hold | undefined
  /** The minimum count of stored credentials that the database must have; see `notHeldCondition`. Never rejects. */
  minimumCount(): Promise<number>
  /** Raises the mark after a credential was stored. */
  recordCount(count: number): void
}

export interface DatabaseGuardDependencies {
  readonly mark: CredentialMark
  readonly process: ProcessProperties
  readonly log: Log
  /** Runs `work` in one transaction. */
  readonly transaction: (work: (sql: Sql) => Promise<void>) => Promise<void>
}

export function databaseGuard({ mark, process, log, transaction }: DatabaseGuardDependencies): DatabaseGuard {
  let held: Hold | undefined
  let installation: string | undefined
  let minimumCount = 0
  const raiseMinimum = (count: number | null) => (minimumCount = Math.max(minimumCount, count ?? 0))

  const decide = async (session: Sql, state: DatabaseState): Promise<Hold | undefined> => {
    const comparison = compareIdentity(state.recorded, state.seen, await mark.read(state.installation))
    switch (comparison.kind) {
      case 'held': {
        const shared = comparison.reasons.filter(isSharedReason)
        if (shared.length > 0) await writeHold(session, shared)
        const [first, ...others] = new Set([...comparison.reasons, ...(state.hold?.reasons ?? [])])
        return {
          since: state.hold?.since ?? held?.since ?? state.now.toISOString(),
          reasons: [first as HoldReason, ...others],
        }
      }
      case 'adopted':
        await transaction((sql) => adoptDatabase(sql, state.seen))
        log.warn('database.adopted', { installation: state.installation, plan: state.recorded.plan })
        return undefined
      case 'promoted':
        if (state.hold === undefined) {
          await acceptPromotion(session, state.seen)
          log.warn('database.promoted', { from: state.recorded.timeline, to: state.seen.timeline })
        }
        return state.hold
      case 'same':
        await recordFacts(session, state)
        return state.hold
    }
  }

  return {
    async check(session) {
      const state = await readDatabaseState(session, process)
      installation = state.installation
      const now = await decide(session, state)
      if (now && !held) log.error('database.held', { reasons: now.reasons, alert: true, advice: 'npm run database' })
      if (!now && held) log.warn('database.released')
      held = now
      // Stored from the first start on, so that a mark missing later is significant.
      if (!now) raiseMinimum(await mark.raise(installation, await readCount(session)))
    },
    hold: () => held,
    async minimumCount() {
      // Another database with the same mark may have stored credentials meanwhile.
      return raiseMinimum(installation === undefined ? null : await mark.read(installation))
    },
    recordCount(count) {
      if (installation !== undefined) void mark.raise(installation, count).then(raiseMinimum)
    },
  }
}

/** The failure of calls and authorizations while no token may be sent. */
export const holdFailure = (code: 'refresh_unavailable' | 'authorization_unavailable'): Failure =>
  new Failure(
    code,
    "The gateway's database was restored or copied, so nothing is refreshed or connected until its operator has confirmed that it replaces the original (npm run database). The connection is kept.",
    { retryAfterSeconds: 60 },
  )
