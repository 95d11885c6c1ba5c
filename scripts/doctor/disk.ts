import { existsSync, lstatSync, readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from './context.ts'
import { openDataDir, repositoryRoot, StartupError } from './parts.ts'
import { findingsOf, type Finding } from './report.ts'

const { ok, warning, error, notChecked } = findingsOf('disk')

/** Checks space and permissions of DATA_DIR, if it is used. */
export const checkDisk: Check = async ({ installation: { gateway, web } }) => {
  const process = 'known' in gateway ? gateway.known : 'known' in web ? web.known : undefined
  if (!process) return [notChecked('DATA_DIR', 'No settings could be read.')]
  const { dataFolder } = process
  const isEmbedded =
    'known' in gateway
      ? gateway.known.config.DATABASE_URL === undefined
      : !('known' in web && web.known.settings.DATABASE_URL)
  const holdsMark = 'known' in gateway && !isEmbedded && gateway.known.config.REDIS_URL === undefined
  if (!isEmbedded && !holdsMark)
    return [notChecked('Disks', 'DATA_DIR is not used; check the disk of the database server.')]
  if (!existsSync(dataFolder)) {
    return holdsMark
      ? [noMark(dataFolder)]
      : [notChecked('DATA_DIR', `${dataFolder} is not there yet; the first start makes it.`)]
  }
  try {
    openDataDir({ DATA_DIR: dataFolder }, repositoryRoot)
  } catch (cause) {
    if (!(cause instanceof StartupError)) throw cause
    return holdsMark
      ? [noMark(dataFolder)]
      : [error(cause.message, { change: changeIn(cause.message) ?? 'DATA_DIR=…' })]
  }
  const { bavail, blocks, bsize, ffree, files } = statfsSync(dataFolder)
  return [
    judgeSpace({ folder: dataFolder, free: bavail * bsize, all: blocks * bsize }),
    ...(files > 0 && ffree / files < INODES_LEFT ? [warning(`${dataFolder}: almost no inodes are free.`)] : []),
    ...openSecrets(dataFolder),
  ]
}

const noMark = (folder: string): Finding =>
  warning(`A restored database is not detected: ${folder} cannot store the mark, and REDIS_URL is not set.`, {
    detail: 'docs/deploy.md, “What is noticed”.',
    change: 'REDIS_URL=redis://…',
  })

/** The command in a message. */
const changeIn = (message: string): string | undefined => /Run: (.*)$/.exec(message)?.[1]

const GB = 1024 ** 3
const INODES_LEFT = 0.02

export function judgeSpace({ folder, free, all }: { folder: string; free: number; all: number }): Finding {
  const facts = `${folder}: ${(free / GB).toFixed(1)} of ${(all / GB).toFixed(1)} GB are free.`
  const details = {
    detail: 'A full disk stops refreshes and sign-ins until there is space.',
    change: `DATA_DIR=<a folder on a larger disk>   # announce the move: npm run database move`,
  }
  if (free < GB / 5) return error(facts, details)
  if (free < 2 * GB && free < all / 10) return warning(facts, details)
  return ok(facts)
}

const SECRET_FILES = /^(credential-keys|gateway-service-token|auth-secret)$/

function openSecrets(folder: string): Finding[] {
  return readdirSync(folder)
    .filter((name) => SECRET_FILES.test(name) && (lstatSync(join(folder, name)).mode & 0o077) !== 0)
    .map((name) =>
      error(`Others can read the secret in ${join(folder, name)}, so the processes do not start.`, {
        change: `chmod 600 '${join(folder, name)}'`,
      }),
    )
}
