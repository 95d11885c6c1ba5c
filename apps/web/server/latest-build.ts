import { existsSync, realpathSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { StartupError } from '@nmg/process'

/** A build of the web app, or in a checkout the link to the latest one. */
const LATEST = resolve(import.meta.dirname, '../.built')

/**
 * @returns the name of the folder, in the web app's own, that holds the latest build.
 * @throws {StartupError} when there is none.
 */
export function latestBuild(): string {
  if (!existsSync(resolve(LATEST, 'BUILD_ID'))) throw new StartupError('The web app is not built. Run npm run build.')
  return basename(realpathSync(LATEST))
}
