/** Is this database the one that it was, or a copy of it? Pure: what is known is given. See docs/deploy.md for the copies that stay undetected. */
import type { HoldReason } from '@nmg/contract'

/** Properties of a database that change when it is copied. Null where this server, or this process, cannot tell: then it is not compared. */
export interface DatabaseFacts {
  /** Of the cluster; another one after `initdb`, and so after a restore into another cluster and after `pg_upgrade`. */
  readonly systemIdentifier: string | null
  /** Of the database within its cluster; a small number that other clusters use as well. */
  readonly databaseOid: string | null
  /** Eight hexadecimal digits; a promoted standby and a point-in-time recovery count one more. */
  readonly timeline: string | null
  /** `GATEWAY_PUBLIC_URL`; null when it is not set or leads to this machine. */
  readonly publicUrl: string | null
  /** Inode and birth of the embedded database's folder. */
  readonly dataFolder: string | null
}

/** What the database says of itself. */
export interface RecordedIdentity extends DatabaseFacts {
  /** False when the row that holds all this was not written by the transaction that it names: it came out of a dump. */
  readonly isOriginalRow: boolean
  /** How many credentials were stored. */
  readonly count: number
  /** What an operator has announced. */
  readonly plan: 'adopt' | 'move' | null
}

/**
 * - `same`: nothing speaks for a copy.
 * - `promoted`: a standby took over that has everything which is known to have been stored. The last commits may be missing nevertheless.
 * - `adopted`: it is a copy, and an operator has announced it.
 * - `held`: it may be a copy. The original may be alive, and may have spent the refresh tokens that are stored here.
 */
export type Judgement =
  | { readonly kind: 'same' | 'promoted' | 'adopted' }
  | { readonly kind: 'held'; readonly reasons: readonly [HoldReason, ...HoldReason[]] }

/**
 * @param mark the highest {@link RecordedIdentity.count} that is known outside of the database; null when nobody kept one.
 */
export function judgeDatabase(recorded: RecordedIdentity, seen: DatabaseFacts, mark: number | null): Judgement {
  const differs = (fact: 'systemIdentifier' | 'databaseOid' | 'timeline') =>
    recorded[fact] !== null && seen[fact] !== null && recorded[fact] !== seen[fact]
  const isOnAnotherTimeline = differs('timeline')
  const found: [HoldReason, boolean][] = [
    ['restored_dump', !recorded.isOriginalRow],
    ['other_cluster', differs('systemIdentifier')],
    ['copied_database', differs('databaseOid')],
    ['credentials_missing', mark !== null && recorded.count < mark],
    // Of another cluster it says nothing.
    ['timeline_unproven', isOnAnotherTimeline && mark === null && !differs('systemIdentifier')],
    ['other_public_url', recorded.publicUrl !== null && recorded.publicUrl !== seen.publicUrl],
    ['copied_data_folder', !isSameFolder(recorded.dataFolder, seen.dataFolder)],
  ]
  const [first, ...others] = found.filter(([, isFound]) => isFound).map(([reason]) => reason)
  if (first === undefined) {
    if (recorded.plan === 'move') return { kind: 'held', reasons: ['moved_away'] }
    return { kind: isOnAnotherTimeline ? 'promoted' : 'same' }
  }
  return recorded.plan === null ? { kind: 'held', reasons: [first, ...others] } : { kind: 'adopted' }
}

/** `<inode> <birth>`, or the inode alone where the file system keeps no birth: then only the inodes are compared. */
function isSameFolder(one: string | null, other: string | null): boolean {
  if (one === null || other === null || one === other) return true
  const [inode, birth] = one.split(' ')
  const [otherInode, otherBirth] = other.split(' ')
  return inode === otherInode && (birth === undefined || otherBirth === undefined)
}

/** Reasons that lie in the database itself, so that they hold for every replica on it. The others are about the process that finds them. */
export const isSharedReason = (reason: HoldReason): boolean =>
  reason !== 'other_public_url' && reason !== 'copied_data_folder'

/** Where `localhost` leads is another place on each machine, so it names no installation. */
export function identifyingUrl(publicUrl: URL | undefined): string | null {
  if (publicUrl === undefined) return null
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(publicUrl.hostname) ? null : publicUrl.href
}
