import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Container {
  /** Runs Node in the container. */
  node(...args: string[]): Promise<Result>
  logs(): Promise<string>
  /** SIGTERM, and after 40 seconds SIGKILL. Resolves with the exit code. */
  stop(): Promise<number>
}

const engine = process.env['IMAGE_ENGINE'] ?? ''

/** Asynchronous, because the simulator and the database proxy run in this process. */
async function run(...args: string[]): Promise<Result> {
  const child = spawn(engine, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number, stdout: stdout.trim(), stderr: stderr.trim() }
}

async function orFail(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args)
  if (code !== 0) throw new Error(`${engine} ${args.join(' ')}: ${stderr}`)
  return stdout
}

export async function inspectImage(image: string): Promise<{ bytes: number; user: string; healthcheck: string[] }> {
  const [found] = JSON.parse(await orFail('image', 'inspect', image)) as {
    Size: number
    Config: { User: string; Healthcheck?: { Test: string[] } }
    Healthcheck?: { Test: string[] }
  }[]
  if (!found) throw new Error(`There is no image ${image}.`)
  // Docker stores it in the configuration, podman beside it.
  const healthcheck = found.Config.Healthcheck ?? found.Healthcheck
  return { bytes: found.Size, user: found.Config.User, healthcheck: healthcheck?.Test ?? [] }
}

/** Starts a container with the rights of compose.yaml, on this machine's network, with each file of `secrets` mounted. */
export async function startContainer(image: string, env: Record<string, string>, secrets: string): Promise<Container> {
  const name = `nmg-test-${randomBytes(4).toString('hex')}`
  const mounts = readdirSync(secrets).flatMap((secret) => ['-v', `${join(secrets, secret)}:/run/secrets/${secret}:ro`])
  const settings = Object.entries(env).flatMap(([setting, value]) => ['-e', `${setting}=${value}`])
  const rights = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'all', '--security-opt', 'no-new-privileges']
  onTestFinished(async () => void (await run('rm', '-f', name)))
  await orFail('run', '-d', '--name', name, '--network', 'host', ...rights, ...mounts, ...settings, image)
  return {
    node: (...args) => run('exec', name, 'node', ...args),
    async logs() {
      const { stdout, stderr } = await run('logs', name)
      return stdout + stderr
    },
    async stop() {
      await orFail('stop', '-t', '40', name)
      return Number(await orFail('inspect', '--format', '{{.State.ExitCode}}', name))
    },
  }
}

/** The paths of the files in an image. */
export async function filesOf(image: string): Promise<string[]> {
  const code = `for (const entry of fs.readdirSync('.', { recursive: true, withFileTypes: true }))
    if (entry.isFile()) console.log(path.join(entry.parentPath, entry.name))`
  return (await orFail('run', '--rm', '--network', 'none', image, '-e', code)).split('\n')
}

/** Exposes the database at a port of this machine: the run's PostgreSQL listens on a socket that is closed to other users. */
export async function overTcp(databaseUrl: string): Promise<{ url: string; close(): void }> {
  const url = new URL(databaseUrl)
  const folder = url.searchParams.get('host')
  if (folder === null) return { url: databaseUrl, close: () => undefined }
  const path = join(folder, `.s.PGSQL.${url.port}`)
  const server = createServer((client) => {
    const socket = connect(path)
    for (const end of [client, socket]) end.on('error', () => void [client, socket].map((each) => each.destroy()))
    client.pipe(socket).pipe(client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url.searchParams.delete('host')
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: url.href, close: () => void server.close() }
}
