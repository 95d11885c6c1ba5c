/**
 * Builds a release folder from this checkout; scripts/run.mjs has built the web app before:
 *
 *     npm run build [-- --out <folder>] [--without-embedded-database]
 *
 * The folder gets its name once it is complete; an older release of that name is replaced only while nothing uses it (docs/releases.md).
 */
import { rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot, StartupError } from '../packages/process/src/index.ts'
import { SetupError, withSetupLock } from './install.mjs'
import { refuseToReplace, replaceFolder } from './release-folder.ts'
import { writeRelease } from './release-writer.ts'

async function build(args: string[]): Promise<string> {
  const { out, withoutEmbeddedDatabase } = optionsOf(args)
  const part = join(dirname(out), `.${basename(out)}.part`)
  return withSetupLock(repositoryRoot, 'release', async () => {
    refuseToReplace(out)
    rmSync(part, { recursive: true, force: true })
    try {
      const { release, version, node } = writeRelease(part, { withoutEmbeddedDatabase })
      refuseToReplace(out)
      replaceFolder(out, part)
      return `${out}: release ${release} of ${version}, for Node ${node}. Start it in that folder with npm run gateway and npm run web.`
    } finally {
      rmSync(part, { recursive: true, force: true })
    }
  })
}

function optionsOf(args: string[]): { out: string; withoutEmbeddedDatabase: boolean } {
  const options = { out: { type: 'string' }, 'without-embedded-database': { type: 'boolean' } } as const
  try {
    const { values } = parseArgs({ args, options })
    return {
      // Relative to the folder in which npm was called.
      out: values.out ? resolve(process.env['INIT_CWD'] ?? '.', values.out) : join(repositoryRoot, 'release'),
      withoutEmbeddedDatabase: values['without-embedded-database'] ?? false,
    }
  } catch {
    throw new StartupError('Usage: npm run build [-- --out <folder>] [--without-embedded-database]')
  }
}

try {
  process.stdout.write(`${await build(process.argv.slice(2))}\n`)
} catch (error) {
  if (!(error instanceof StartupError || error instanceof SetupError)) throw error
  process.stderr.write(`build: ${error.message}\n`)
  process.exitCode = 1
}
