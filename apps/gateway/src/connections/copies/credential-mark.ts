/**
 * The high-water mark of the count of stored credentials, kept outside of the database. A database with a lower count was restored to an earlier
 * state, so its refresh tokens may be spent.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError, type Log } from '../../platform/log.ts'

/** Stores the marks of installations. Both methods may reject; the caller continues without the store then. */
export interface MarkStore {
  /** Null when there is no mark. */
  read(installation: string): Promise<number | null>
  /** Raises the mark to at least `mark`. @returns the resulting mark. */
  raise(installation: string, mark: number): Promise<number>
}

/** The mark with a copy in memory for outages of its store. */
export interface CredentialMark {
  /** Never rejects; null when there is no mark. */
  read(installation: string): Promise<number | null>
  /** Never rejects. @returns the highest known mark. */
  raise(installation: string, mark: number): Promise<number>
}

/** @param store outlives this process; undefined to keep the mark in memory only. */
export function credentialMark(store: MarkStore | undefined, log: Log): CredentialMark {
  const known = new Map<string, number>()
  const remember = (installation: string, mark: number | null): number | null => {
    const before = known.get(installation) ?? null
    const highest = mark === null || (before !== null && before > mark) ? before : mark
    if (highest !== null) known.set(installation, highest)
    return highest
  }
  const inStore = async (installation: string, work: (marks: MarkStore) => Promise<number | null>) => {
    if (store === undefined) return null
    return work(store).catch((error: unknown) => {
      log.warn('credential_mark.unavailable', { installation, ...describeError(error) })
      return null
    })
  }
  return {
    async read(installation) {
      return remember(installation, await inStore(installation, (marks) => marks.read(installation)))
    },
    async raise(installation, mark) {
      remember(installation, mark)
      return remember(installation, await inStore(installation, (marks) => marks.raise(installation, mark))) ?? mark
    },
  }
}

/**
 * Stores the mark as the name of an empty file in `<folder>/credential-marks/<installation>/`. The highest name counts, so concurrent processes
 * need no lock.
 */
export function folderMarkStore(folder: string): MarkStore {
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
