import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { freePort, hasRedis, testDatabase, testRedisUrl } from '@nmg/process/testing'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { expect, it, onTestFinished } from 'vitest'
import { serveHttp } from '../../apps/web/server/http.ts'
import { service } from './compose.ts'
import { deployFolder, readDeployFile, readImage, readYaml } from './files.ts'
import { makeSecrets, withSecretsIn, type Program } from './settings.ts'

/** The paths that image, compose, Caddy and Kubernetes probe. */
function probedPaths(program: Program): string[] {
  const [, ofImage = ''] = /"deploy\/healthcheck\.mjs", "(.+)"\]/.exec(readImage(program).healthcheck) ?? []
  const ofCompose = service(program === 'web' ? 'web' : 'gateway-1').healthcheck?.test.at(-1) ?? ''
  const [deployment] = readYaml(`kubernetes/base/${program}.yaml`) as [Deployment]
  const [container] = deployment.spec?.template.spec?.containers ?? []
  const probes = [container?.startupProbe, container?.readinessProbe, container?.livenessProbe]
  const [, ofCaddy = ''] = /health_uri (\S+)/.exec(readDeployFile('Caddyfile')) ?? []
  const ofKubernetes = probes.map((probe) => probe?.httpGet?.path ?? '')
  return [...new Set([ofImage, ofCompose, ...ofKubernetes, ...(program === 'gateway' ? [ofCaddy] : [])])]
}

const healthcheck = (port: number, path: string) =>
  spawnSync(process.execPath, [join(deployFolder, 'healthcheck.mjs'), path], {
    env: { PORT: String(port) },
    encoding: 'utf8',
  })

/** Starts the gateway by the command of its image, with the settings of compose.yaml. Returns its port. */
async function startGateway(): Promise<number> {
  const secrets = makeSecrets()
  const give = (name: string, value: string) => {
    rmSync(join(secrets.folder, name))
    writeFileSync(join(secrets.folder, name), value)
  }
  give('DATABASE_URL', (await testDatabase()).url)
  give('REDIS_URL', hasRedis() ? await testRedisUrl() : 'redis://127.0.0.1:9')
  const port = await freePort()
  const image = readImage('gateway')
  const gateway = spawn(process.execPath, image.command, {
    cwd: repositoryRoot,
    env: {
      ...image.env,
      ...withSecretsIn(secrets.folder, service('gateway-1').environment ?? {}),
      HOST: '127.0.0.1',
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(async () => {
    if (gateway.exitCode === null) {
      gateway.kill('SIGKILL')
      await once(gateway, 'exit')
    }
    secrets.remove()
  })
  let output = ''
  for (const stream of [gateway.stdout, gateway.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await expect.poll(() => output, { timeout: 30_000 }).toContain('"gateway.listening"')
  return port
}

it('the gateway is healthy at every probed path, and only there', async () => {
  const port = await startGateway()

  expect(probedPaths('gateway')).toEqual(['/healthz', '/readyz'])
  for (const path of probedPaths('gateway')) expect(healthcheck(port, path)).toMatchObject({ status: 0, stderr: '' })
  expect(healthcheck(port, '/healthy')).toMatchObject({ status: 1, stderr: expect.stringContaining('/healthy: 404') })
  expect(healthcheck(await freePort(), '/healthz')).toMatchObject({ status: 1, stderr: '/healthz: ECONNREFUSED\n' })
})

it('the web app responds at every probed path', async () => {
  let isReady = true
  const server = await serveHttp('127.0.0.1', 0, {
    webUrl: 'https://notion.example.com',
    isHttps: true,
    isDevelopment: false,
    trustedProxies: [],
    readiness: async () => (isReady ? { status: 'ready' } : { status: 'not_ready', detail: 'no database' }),
    handle: async (_request, response) => void response.writeHead(404).end(),
  })
  const statuses = () =>
    Promise.all(
      probedPaths('web').map(async (path) => [path, (await fetch(`http://127.0.0.1:${server.port}${path}`)).status]),
    )

  expect(await statuses()).toEqual([
    ['/healthz', 200],
    ['/readyz', 200],
  ])
  isReady = false
  expect(await statuses()).toEqual([
    ['/healthz', 200],
    ['/readyz', 503],
  ])
  await server.stop()
})
