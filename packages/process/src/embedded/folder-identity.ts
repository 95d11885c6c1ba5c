import { statSync } from 'node:fs'

/**
 * Returns `<inode> <birth time in ns>` of a folder: it stays the same after a restart and a rename, and differs for a copy, also for one that reuses the
 * inode of a removed folder. Only the inode where the file system has no birth times.
 */
export function folderIdentity(path: string): string {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true })
  // Without a birth time, Node reports 0 or the time of the last change.
  return birthtimeNs > 0n && birthtimeNs < ctimeNs ? `${ino} ${birthtimeNs}` : `${ino}`
}
