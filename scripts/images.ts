/**
 * `npm run test:image`: builds the images of deploy/ and tests the main functions with them (test/images/). Needs Linux and Docker or podman;
 * without them it reports that and succeeds. BASE names the base image; without it one is built from Debian packages, as root with debootstrap.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repositoryRoot } from '../packages/process/src/index.ts'
import { localBase } from './image-base.ts'
import { findImageEngine, type ImageEngine } from './image-engine.ts'
import { endProgramsWithUs, runProgram } from './programs.ts'

const IMAGES = ['gateway', 'web'].map((name) => ({ name, tag: `localhost/notion-mcp-gateway-${name}:test` }))

endProgramsWithUs()
process.exitCode = await testImages()

async function testImages(): Promise<number> {
  if (process.platform !== 'linux') return skipped('images run on Linux only')
  const engine = findImageEngine(join(repositoryRoot, '.data/images'))
  if (!engine) return skipped('there is neither Docker nor podman. On Debian: apt-get install podman runc')
  const base = process.env['BASE'] || (await localBase(engine))
  if (!base) {
    return skipped(
      'there is no base image. Name one with BASE=docker.io/library/node:24-bookworm-slim, or install debootstrap and be root',
    )
  }
  tidy(engine)
  for (const { name, tag } of IMAGES) {
    const code = await build(engine, name, tag, base)
    if (code !== 0) return code
    console.log(`The image of the ${name} has ${megabytesOf(engine, tag)} MB, base included.`)
  }
  const code = await runProgram('vitest', ['run', '--project', 'images', ...process.argv.slice(2)], {
    ...engine.env,
    IMAGE_ENGINE: engine.program,
    ...Object.fromEntries(IMAGES.map(({ name, tag }) => [`IMAGE_${name.toUpperCase()}`, tag])),
  })
  tidy(engine)
  return code
}

/** Removes what an interrupted run has left and the stages of the builds, which are larger than the images; from podman's store, which is ours alone. */
function tidy(engine: ImageEngine): void {
  if (engine.program !== 'podman') return
  const containers = output(engine, ['ps', '--all', '--external', '--quiet']).split('\n').filter(Boolean)
  if (containers.length > 0) output(engine, ['rm', '--force', ...containers])
  output(engine, ['image', 'prune', '--force'])
}

function build({ program, env, buildFlags }: ImageEngine, name: string, tag: string, base: string): Promise<number> {
  console.log(`Building the image of the ${name} on ${base} with ${program}.`)
  const file = `deploy/${name}.Containerfile`
  return runProgram(program, ['build', ...buildFlags, '--build-arg', `BASE=${base}`, '-f', file, '-t', tag, '.'], env)
}

function megabytesOf(engine: ImageEngine, tag: string): number {
  return Math.round(Number(output(engine, ['image', 'inspect', '--format', '{{.Size}}', tag])) / 1e6)
}

function output({ program, env }: ImageEngine, args: readonly string[]): string {
  return spawnSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8' }).stdout
}

function skipped(reason: string): number {
  console.log(`SKIPPED: the images were neither built nor tested, because ${reason}.`)
  return 0
}
