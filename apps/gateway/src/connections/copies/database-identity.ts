/** Detects whether a database is a copy. Pure. See docs/deploy.md for the copies that remain undetected. */
import type { HoldReason } from '@nmg/contract'

/** Properties of a database that change when it is copied. Null if they cannot be read; they are not compared then. */
export interface DatabaseProperties {
  /** Identifies the cluster; changes with `initdb`, that is by a restore into another cluster or by `pg_upgrade`. */
  readonly systemIdentifier: string | null
  /** Identifies the database within its cluster; a small number that is not unique across clusters. */
  readonly databaseOid: string | null
  /** Eight hexadecimal digits, incremented by the promotion of a standby and by point-in-time recovery. */
  readonly timeline: string | null
  /** `GATEWAY_PUBLIC_URL`; null if it is not set or is a loopback URL. */
  readonly publicUrl: string | null
  /** Inode and creation time of the embedded database's folder. */
  readonly dataFolder: string | null
}

/** The identity recorded in the database itself. */
export interface RecordedIdentity extends DatabaseProperties {
  /** False if its row was not written by the transaction recorded in it, that is if it was restored from a dump. */
  readonly isOriginalRow: boolean
  /** Count of stored credentials. */
  readonly count: number
  /** The change announced by the operator. */
  readonly plan: 'adopt' | 'move' | null
}

/**
 * - `same`: nothing indicates a copy.
 * - `promoted`: a promoted standby with all credentials known to have been stored. Its last commits may be missing nevertheless.
 * - `adopted`: a copy that the operator has announced.
 * - `held`: possibly a copy. The original may be running and may have spent the refresh tokens stored here.
 */
export type IdentityComparison =
  | { readonly kind: 'same' | 'promoted' | 'adopted' }
  | { readonly kind: 'held'; readonly reasons: readonly [HoldReason, ...HoldReason[]] }

/** @param mark the highest {@link RecordedIdentity.count} known outside of the database; null if unknown. */
export function compareIdentity(
  recorded: RecordedIdentity,
  seen: DatabaseProperties,
  mark: number | null,
): IdentityComparison {
  const differs = (fact: 'systemIdentifier' | 'databaseOid' | 'timeline') =>
    recorded[fact] !== null && seen[fact] !== null && recorded[fact] !== seen[fact]
  const isOnAnotherTimeline = differs('timeline')
  const found: [HoldReason, boolean][] = [
    ['restored_dump', !recorded.isOriginalRow],
    ['other_cluster', differs('systemIdentifier')],
    ['copied_database', differs('databaseOid')],
    ['credentials_missing', mark !== null && recorded.count < mark],
    // Timelines of different clusters are not comparable.
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

/** Compares `<inode> <creation time>`, or only the inodes if the file system has no creation times. */
function isSameFolder(one: string | null, other: string | null): boolean {
  if (one === null || other === null || one === other) return true
  const [inode, birth] = one.split(' ')
  const [otherInode, otherBirth] = other.split(' ')
  return inode === otherInode && (birth === undefined || otherBirth === undefined)
}

/** True for reasons found in the database itself, which apply to every replica. The others concern the process that found them. */
export const isSharedReason = (reason: HoldReason): boolean =>
  reason !== 'other_public_url' && reason !== 'copied_data_folder'

/** The URL if it identifies an installation; null for loopback URLs, which differ per machine. */
export function identifyingUrl(publicUrl: URL | undefined): string | null {
  if (publicUrl === undefined) return null
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(publicUrl.hostname) ? null : publicUrl.href
}
