import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface Container {
  /** Runs Node in the container and answers its exit code and output. */
  node(...args: string[]): { status: number | null; stdout: string; stderr: string }
  logs(): string
  /** SIGTERM, and after a time-out of its own SIGKILL. Answers the exit code. */
  stop(): number
}

const engine = process.env['IMAGE_ENGINE'] ?? ''

function run(...args: string[]) {
  return spawnSync(engine, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

function orFail(...args: string[]): string {
  const { status, stdout, stderr } = run(...args)
  if (status !== 0) throw new Error(`${engine} ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

export function inspectImage(image: string): { bytes: number; user: string; healthcheck: string[] } {
  const [found] = JSON.parse(orFail('image', 'inspect', image)) as {
    Size: number
    Config: { User: string; Healthcheck?: { Test: string[] } }
    HealthCheck?: { Test: string[] }
    Healthcheck?: { Test: string[] }
  }[]
  if (!found) throw new Error(`There is no image ${image}.`)
  const healthcheck = found.Config.Healthcheck ?? found.Healthcheck ?? found.HealthCheck
  return { bytes: found.Size, user: found.Config.User, healthcheck: healthcheck?.Test ?? [] }
}

/** Starts a container with the rights that compose.yaml gives it, on the network of this machine, with each file of `secrets` mounted. */
export function startContainer(image: string, env: Record<string, string>, secrets: string): Container {
  const name = `nmg-test-${randomBytes(4).toString('hex')}`
  const mounts = readdirSync(secrets).flatMap((secret) => ['-v', `${join(secrets, secret)}:/run/secrets/${secret}:ro`])
  const settings = Object.entries(env).flatMap(([setting, value]) => ['-e', `${setting}=${value}`])
  const rights = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'all', '--security-opt', 'no-new-privileges']
  orFail('run', '-d', '--name', name, '--network', 'host', ...rights, ...mounts, ...settings, image)
  onTestFinished(() => void run('rm', '-f', name))
  return {
    node: (...args) => run('exec', name, 'node', ...args),
    logs: () => {
      const { stdout, stderr } = run('logs', name)
      return stdout + stderr
    },
    stop: () => {
      orFail('stop', '-t', '40', name)
      return Number(orFail('inspect', '--format', '{{.State.ExitCode}}', name))
    },
  }
}

/** Runs a piece of code by the Node of an image, and answers what it prints. */
export function evaluateIn(image: string, code: string): string {
  return orFail('run', '--rm', '--network', 'none', image, '-e', code)
}
