/**
 * The highest count of stored credentials that is known outside of the database. A database that counts less was put back to an earlier state, so its
 * refresh tokens may be spent.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError, type Log } from '../../platform/log.ts'

/** Keeps the mark of one installation. Both methods may reject; the caller goes on without it then. */
export interface MarkPlace {
  /** Null when nothing was kept yet. */
  read(installation: string): Promise<number | null>
  /** Keeps `mark`, or what is there already when that is higher. @returns the higher one. */
  raise(installation: string, mark: number): Promise<number>
}

/** The mark as this process knows it, also while its place does not respond. */
export interface CredentialMark {
  /** Never rejects; null when nobody kept one. */
  read(installation: string): Promise<number | null>
  /** Never rejects. @returns the highest mark that is known by now. */
  raise(installation: string, mark: number): Promise<number>
}

/** @param place where it outlives this process; undefined for nowhere. */
export function credentialMark(place: MarkPlace | undefined, log: Log): CredentialMark {
  const known = new Map<string, number>()
  const remember = (installation: string, mark: number | null): number | null => {
    const before = known.get(installation) ?? null
    const highest = mark === null || (before !== null && before > mark) ? before : mark
    if (highest !== null) known.set(installation, highest)
    return highest
  }
  const outside = async (installation: string, work: (at: MarkPlace) => Promise<number | null>) => {
    if (place === undefined) return null
    return work(place).catch((error: unknown) => {
      log.warn('credential_mark.unavailable', { installation, ...describeError(error) })
      return null
    })
  }
  return {
    async read(installation) {
      return remember(installation, await outside(installation, (at) => at.read(installation)))
    },
    async raise(installation, mark) {
      remember(installation, mark)
      return remember(installation, await outside(installation, (at) => at.raise(installation, mark))) ?? mark
    },
  }
}

/**
 * Keeps the mark as the name of an empty file in `<folder>/credential-marks/<installation>/`: the highest name counts, so processes that write at the same
 * time need no lock.
 */
export function markFolder(folder: string): MarkPlace {
  const pathOf = (installation: string) => join(folder, 'credential-marks', installation)
  const marks = (installation: string): number[] => {
    try {
      return readdirSync(pathOf(installation)).map(Number).filter(Number.isSafeInteger)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }
  return {
    async read(installation) {
      const found = marks(installation)
      return found.length === 0 ? null : Math.max(...found)
    },
    async raise(installation, mark) {
      mkdirSync(pathOf(installation), { recursive: true, mode: 0o700 })
      const highest = Math.max(mark, ...marks(installation))
      writeFileSync(join(pathOf(installation), String(highest)), '', { mode: 0o600 })
      for (const lower of marks(installation).filter((found) => found < highest)) {
        rmSync(join(pathOf(installation), String(lower)), { force: true })
      }
      return highest
    },
  }
}
