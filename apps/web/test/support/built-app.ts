import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../../../..')

interface WebBuild {
  currentWebBuild(root: string, node: string, env: NodeJS.ProcessEnv): Promise<void>
}

/** Builds the app as `npm start` does, unless the build that is there was made from these very sources. */
export async function buildApp(): Promise<void> {
  // A script without types, because it has to run on Nodes that know none.
  const { currentWebBuild } = (await import(join(ROOT, 'scripts/web-build.mjs'))) as WebBuild
  await currentWebBuild(ROOT, process.execPath, process.env)
}
