import { statSync } from 'node:fs'

/**
 * `<inode> <birth in ns>` of a folder: the same after a restart and a rename, another one for a copy, and for a folder that was unpacked where another was
 * removed, which may get its inode. The inode alone where the file system keeps no birth.
 */
export function folderIdentity(path: string): string {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true })
  // Node puts 0, or the time of the last change, in place of a birth that is not kept.
  return birthtimeNs > 0n && birthtimeNs < ctimeNs ? `${ino} ${birthtimeNs}` : `${ino}`
}
