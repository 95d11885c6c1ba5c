/** Two different releases, and processes that run from them. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { repositoryRoot } from '@nmg/process'

/** The next release's name of the page *Settings*. */
export const NEXT_LABEL = 'Preferences'

const NOT_COPIED = new Set(['.git', '.data', 'release', 'node_modules'])

/** Builds a release of this checkout into `out`. */
export function buildRelease(out: string): void {
  build(repositoryRoot, out)
}

/** Builds a next release: other pages and scripts, and a migration of each database. */
export function buildNextRelease(workFolder: string, out: string): void {
  const checkout = join(workFolder, 'checkout')
  cpSync(repositoryRoot, checkout, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path === repositoryRoot || !NOT_COPIED.has(basename(path)),
  })
  for (const folder of foldersWithPackages(repositoryRoot)) {
    linkFiles(join(repositoryRoot, folder, 'node_modules'), join(checkout, folder, 'node_modules'))
  }
  edit(join(checkout, 'apps/web/app/spaces/[spaceId]/navigation.ts'), `label: 'Settings'`, `label: '${NEXT_LABEL}'`)
  edit(join(checkout, 'package.json'), '"version": "', '"version": "1')
  for (const [app, schema] of [
    ['apps/gateway', 'gateway'],
    ['apps/web', 'web'],
  ] as const) {
    writeFileSync(
      join(migrationsOf(join(checkout, app)), '9000-next-release.sql'),
      `-- Oldest release that can run on it: 1\ncreate table ${schema}.next_release (id integer);\n`,
    )
  }
  build(checkout, out)
}

function foldersWithPackages(root: string): string[] {
  const workspaces = ['apps', 'packages'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name)),
  )
  return ['.', 'runtime', ...workspaces].filter((folder) => existsSync(join(root, folder, 'node_modules')))
}

/** Links packages instead of copying them: they are many, and never changed in place. */
function linkFiles(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) linkFiles(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else linkOrCopy(source, target)
  }
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    // On another file system.
    copyFileSync(source, target)
  }
}

function build(checkout: string, out: string): void {
  mkdirSync(dirname(out), { recursive: true })
  const { status, stderr } = spawnSync('node', [join(checkout, 'scripts/run.mjs'), 'build', '--out', out], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm run build ended with ${status}:\n${stderr}`)
}

function edit(path: string, before: string, after: string): void {
  const text = readFileSync(path, 'utf8')
  if (!text.includes(before)) throw new Error(`${path} does not contain ${before}`)
  writeFileSync(path, text.replace(before, after))
}

function migrationsOf(app: string): string {
  const [found] = readdirSync(app, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.name === 'migrations' && entry.isDirectory() && !entry.parentPath.includes('node_modules'),
  )
  if (!found) throw new Error(`${app} has no migrations`)
  return join(found.parentPath, found.name)
}

export interface Replica {
  readonly port: number
  /** Sends SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>
}

/** Starts a process from a release folder, and waits until it is ready. */
export async function startReplica(
  release: string,
  name: 'gateway' | 'web',
  port: number,
  env: Record<string, string>,
): Promise<Replica> {
  const child = spawn('node', [join(release, 'scripts/run.mjs'), name], {
    env: { PATH: process.env['PATH'], PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exited = once(child, 'exit')
  let hasExited = false
  void exited.then(() => (hasExited = true))
  while (!output.includes(`"${name}.listening"`)) {
    if (hasExited) throw new Error(`${name} of ${release} did not start:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    port,
    async stop() {
      child.kill('SIGTERM')
      await exited
      return child.exitCode
    },
  }
}
