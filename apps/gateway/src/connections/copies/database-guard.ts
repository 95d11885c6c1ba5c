/** Keeps tokens from leaving while the database may be a copy of another one: then the original may have spent them, and would lose its grants. */
import type { Hold, HoldReason } from '@nmg/contract'
import type { Sql } from '../../platform/database.ts'
import type { CredentialMark } from './credential-mark.ts'
import { isSharedReason, judgeDatabase } from './database-identity.ts'
import {
  acceptPromotion,
  adoptDatabase,
  readCount,
  readDatabaseState,
  recordFacts,
  writeHold,
  type DatabaseState,
  type ProcessFacts,
} from './postgres-database-identity.ts'
import { Failure } from '../../platform/failure.ts'
import type { Log } from '../../platform/log.ts'

export interface DatabaseGuard {
  /**
   * Looks at the database behind `session`; {@link hold} has the outcome. To be called on each new session, before anything is sent on the strength of it.
   *
   * @throws {Failure} `store_unavailable`.
   */
  check(session: Sql): Promise<void>
  /** Why no token may leave; undefined when it may. */
  hold(): Hold | undefined
  /** The least count of stored credentials that the database must have; see `isUnheld`. Never rejects. */
  leastCount(): Promise<number>
  /** A credential was stored, and the database has counted it. */
  counted(count: number): void
}

export interface DatabaseGuardDependencies {
  readonly mark: CredentialMark
  readonly process: ProcessFacts
  readonly log: Log
  /** Carries out `work` in one transaction. */
  readonly transaction: (work: (sql: Sql) => Promise<void>) => Promise<void>
}

export function databaseGuard({ mark, process, log, transaction }: DatabaseGuardDependencies): DatabaseGuard {
  let held: Hold | undefined
  let installation: string | undefined
  let leastCount = 0
  const atLeast = (count: number | null) => (leastCount = Math.max(leastCount, count ?? 0))

  const decide = async (session: Sql, state: DatabaseState): Promise<Hold | undefined> => {
    const judgement = judgeDatabase(state.recorded, state.seen, await mark.read(state.installation))
    switch (judgement.kind) {
      case 'held': {
        const shared = judgement.reasons.filter(isSharedReason)
        if (shared.length > 0) await writeHold(session, shared)
        const [first, ...others] = new Set([...judgement.reasons, ...(state.hold?.reasons ?? [])])
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
      // Kept from the first start on, so that a mark that is missing later means something.
      if (!now) atLeast(await mark.raise(installation, await readCount(session)))
    },
    hold: () => held,
    async leastCount() {
      // Another database with the same mark may have counted on.
      return atLeast(installation === undefined ? null : await mark.read(installation))
    },
    counted(count) {
      if (installation !== undefined) void mark.raise(installation, count).then(atLeast)
    },
  }
}

/** What a call or a person is told while no token may leave. */
export const holdFailure = (code: 'refresh_unavailable' | 'authorization_unavailable'): Failure =>
  new Failure(
    code,
    "The gateway's database was restored or copied, so nothing is renewed or connected until its operator has confirmed that it replaces the original (npm run database). The connection is kept.",
    { retryAfterSeconds: 60 },
  )
