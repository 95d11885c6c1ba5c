import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runProgram } from './programs.ts'
import type { ImageEngine } from './image-engine.ts'

/** Named by Node's version and the Debian release, so that an existing image is reused. */
const NAME = `localhost/notion-mcp-gateway-base:node-${process.versions.node}-bookworm`

/** Packages of the official image beyond the minimum. */
const PACKAGES = 'ca-certificates,libstdc++6'

/**
 * Builds a base image on this machine, for machines that reach Debian's packages but no image registry: minimal Debian with the Node that
 * runs this script and this machine's npm and certificates.
 *
 * @returns its name; undefined if it cannot be built, with the reason on the output.
 */
export async function localBase(engine: ImageEngine): Promise<string | undefined> {
  if (spawnSync(engine.program, ['image', 'inspect', NAME], options(engine)).status === 0) return NAME
  if (process.getuid?.() !== 0 || spawnSync('debootstrap', ['--version']).status !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'nmg-base-'))
  try {
    const root = join(folder, 'root')
    console.log('Making a base image from Debian packages. This takes a minute or so.')
    if ((await runProgram('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', root])) !== 0)
      return undefined
    addNode(root)
    const archive = join(folder, 'root.tar')
    if ((await runProgram('tar', ['-C', root, '-cf', archive, ...UNUSED, '.'])) !== 0) return undefined
    const certificates = process.env['NODE_EXTRA_CA_CERTS']
      ? ['--change', `ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`]
      : []
    const imported = await runProgram(engine.program, ['import', ...certificates, archive, NAME], engine.env)
    return imported === 0 ? NAME : undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

/** The official image omits it too. */
const UNUSED = [
  'dev',
  'proc',
  'sys',
  'var/cache/apt',
  'var/lib/apt/lists',
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
].map((path) => `--exclude=./${path}/*`)

function addNode(root: string): void {
  const npm = dirname(dirname(realpathSync(spawnSync('which', ['npm'], { encoding: 'utf8' }).stdout.trim())))
  const modules = join(root, 'usr/local/lib/node_modules')
  mkdirSync(modules, { recursive: true })
  cpSync(process.execPath, join(root, 'usr/local/bin/node'))
  cpSync(npm, join(modules, 'npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
  cpSync(CERTIFICATES, join(root, CERTIFICATES))
}

const options = ({ env }: ImageEngine) => ({ env: { ...process.env, ...env } })
