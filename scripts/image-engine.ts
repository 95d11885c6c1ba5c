import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A program that builds and runs images, with Docker's command line. */
export interface ImageEngine {
  readonly program: 'docker' | 'podman'
  readonly env: Readonly<Record<string, string>>
  /** Flags of `build` that it always needs. */
  readonly buildFlags: readonly string[]
}

/**
 * Docker, if its daemon responds, otherwise podman, which needs none. Podman stores its images in `folder` and is configured for restricted
 * machines: without overlay file system or systemd, or with limits that cannot be raised. Undefined if neither exists.
 */
export function findImageEngine(folder: string): ImageEngine | undefined {
  if (succeeds('docker', ['info'])) return { program: 'docker', env: {}, buildFlags: [] }
  if (!succeeds('podman', ['--version'])) return undefined
  return {
    program: 'podman',
    env: podmanSettings(folder),
    // With a chroot instead of a container, steps also run where containers cannot be nested. OCI images have no health check.
    buildFlags: ['--isolation', 'chroot', '--format', 'docker'],
  }
}

function podmanSettings(folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true })
  const CONTAINERS_CONF = join(folder, 'containers.conf')
  const runtime = ['/usr/bin/runc', '/usr/sbin/runc'].some((path) => existsSync(path)) ? 'runtime = "runc"\n' : ''
  writeFileSync(
    CONTAINERS_CONF,
    `[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n${runtime}`,
  )
  const withDriver = (driver: string) => ({ CONTAINERS_CONF, CONTAINERS_STORAGE_CONF: storageSettings(folder, driver) })
  // Without overlays, each layer is a copy of everything below it.
  const overlay = withDriver('overlay')
  return succeeds('podman', ['info'], overlay) ? overlay : withDriver('vfs')
}

function storageSettings(folder: string, driver: string): string {
  const path = join(folder, `storage-${driver}.conf`)
  const [root, run] = [join(folder, driver), join(folder, `${driver}-run`)]
  writeFileSync(path, `[storage]\ndriver = "${driver}"\ngraphroot = "${root}"\nrunroot = "${run}"\n`)
  return path
}

function succeeds(program: string, args: readonly string[], env: Record<string, string> = {}): boolean {
  return spawnSync(program, args, { stdio: 'ignore', env: { ...process.env, ...env } }).status === 0
}
