import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runProgram } from './programs.ts'
import type { ImageEngine } from './image-engine.ts'

/** Named by Node's version and the Debian release: what is there is not made again. */
const NAME = `localhost/notion-mcp-gateway-base:node-${process.versions.node}-bookworm`

/** What is in the official image beside the minimum. */
const PACKAGES = 'ca-certificates,libstdc++6'

/**
 * A base image made on this machine, for one that reaches Debian's packages and no registry of images: Debian's minimum with the Node that
 * runs this and this machine's npm and certificates.
 *
 * @returns its name; undefined where it cannot be made, which the output then explains.
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

/** As the official image leaves it out. */
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
