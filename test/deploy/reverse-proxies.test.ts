/** The configurations of docs/deploy.md, run by the real proxies where they are installed. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { respondToProbe } from '@nmg/process/probe'
import { certificateFor, freePort } from '@nmg/process/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveHttp } from '../../apps/web/server/http.ts'
import { probeWith } from '../../apps/web/server/probe.ts'
import { trustOwnAuthorities } from '../../scripts/doctor/certificate-authorities.ts'
import { judgeClientAddress, judgeHost, judgeStreaming } from '../../scripts/doctor/forwarding.ts'
import { probe } from '../../scripts/doctor/probe.ts'

const SERVICE_TOKEN = 'a-service-token-of-the-tests'

/** A code block of the page, by its language. */
function documented(language: string): string {
  const page = readFileSync(join(repositoryRoot, 'docs/deploy.md'), 'utf8')
  const [, block] = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? []
  if (block === undefined) throw new Error(`docs/deploy.md has no block in ${language}.`)
  return block
}

interface Ports {
  readonly gateways: readonly [number, number]
  readonly web: number
  readonly https: number
  readonly inside: number
}

/** Replaces the page's addresses by those of the test. */
const readdressed = (text: string, { gateways, web, inside }: Ports) =>
  text
    .replaceAll('127.0.0.1:8001', `127.0.0.1:${gateways[0]}`)
    .replaceAll('127.0.0.1:8002', `127.0.0.1:${gateways[1]}`)
    .replaceAll(/127\.0\.0\.1:300[12]/g, `127.0.0.1:${web}`)
    .replaceAll('127.0.0.1:8000', `127.0.0.1:${inside}`)

interface Proxy {
  readonly name: string
  /** Writes the configuration. @returns the arguments that check it, and those that run it in the foreground. */
  prepare(folder: string, ports: Ports): { check: string[]; run: string[] }
}

const nginx: Proxy = {
  name: 'nginx',
  prepare(folder, ports) {
    const block = readdressed(documented('nginx'), ports)
      .replace('listen 80;', `listen 127.0.0.1:${ports.https + 1};`)
      .replace('listen 443 ssl http2;', `listen 127.0.0.1:${ports.https} ssl http2;`)
      .replaceAll('/srv/notion-gateway/', `${folder}/`)
      .replaceAll('notion.example.com', 'localhost')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (part) => `${part}_temp_path ${folder}/${part};`,
    )
    const config = `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 256; }
http { access_log off; ${temporary.join(' ')}
${block}}
`
    writeFileSync(join(folder, 'nginx.conf'), config)
    const args = ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')]
    return { check: ['-t', ...args], run: args }
  },
}

const caddy: Proxy = {
  name: 'caddy',
  prepare(folder, ports) {
    const block = readdressed(documented('caddyfile'), ports).replace(
      'notion.example.com {',
      `https://localhost:${ports.https} {\n\ttls ${folder}/tls.crt ${folder}/tls.key`,
    )
    const file = join(folder, 'Caddyfile')
    const options = `{\n\tadmin off\n\tauto_https off\n\tstorage file_system ${folder}/caddy\n}\n`
    writeFileSync(file, options + block)
    const args = ['--config', file, '--adapter', 'caddyfile']
    return { check: ['validate', ...args], run: ['run', ...args] }
  },
}

/** Programs for administrators may be outside of PATH. */
const PATH = `${process.env['PATH']}:/usr/sbin:/usr/local/sbin`
const isInstalled = ({ name }: Proxy) =>
  spawnSync('/bin/sh', ['-c', 'command -v "$0"', name], { env: { PATH } }).status === 0

/** Runs the proxy until the end of the test. */
async function run(proxy: Proxy, gateways: readonly [number, number], web: number) {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-proxy-'))
  mkdirSync(join(folder, 'caddy'))
  const { key, cert } = certificateFor('localhost')
  writeFileSync(join(folder, 'tls.key'), key)
  writeFileSync(join(folder, 'tls.crt'), cert)
  const ports = { gateways, web, https: await freePort(), inside: await freePort() }
  const { check, run: args } = proxy.prepare(folder, ports)
  const env = { PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const checked = spawnSync(proxy.name, check, { env, encoding: 'utf8' })
  expect(checked.status, checked.stderr).toBe(0)
  const child = spawn(proxy.name, args, { env, stdio: 'ignore' })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true, force: true })
  })
  const inside = `http://127.0.0.1:${ports.inside}`
  await expect
    .poll(() =>
      fetch(`${inside}/healthz`).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true)
  const origin = `https://localhost:${ports.https}`
  return { origin, inside, certificate: join(folder, 'tls.crt') }
}

/** Only the probes of a gateway and of a web app that trusts this machine's proxies. */
async function probed(): Promise<{ gateway: number; web: number }> {
  const gateway = createServer((request, response) => {
    const options = { process: 'gateway', serviceTokens: [SERVICE_TOKEN], clientAddress: null } as const
    if (!respondToProbe(request, response, options)) response.writeHead(404).end()
  })
  gateway.listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  const web = await serveHttp('127.0.0.1', 0, {
    webUrl: 'https://localhost',
    isHttps: true,
    isDevelopment: false,
    trustedProxies: ['127.0.0.1'],
    readiness: async () => ({ status: 'ready' }),
    probe: probeWith(SERVICE_TOKEN),
    handle: async (_request, response) => void response.writeHead(404).end(),
  })
  onTestFinished(async () => {
    gateway.closeAllConnections()
    gateway.close()
    await web.stop()
  })
  return { gateway: (gateway.address() as AddressInfo).port, web: web.port }
}

describe.each([
  ['nginx', ['max_fails=0', 'proxy_buffering off', 'X-Forwarded-For', 'X-Forwarded-Proto']],
  ['caddyfile', ['flush_interval', 'reverse_proxy']],
])('the documented configuration in %s', (language, settings) => {
  it('contains what streaming, fail-over and client addresses need', () => {
    const block = documented(language)
    for (const setting of settings) expect(block).toContain(setting)
  })
})

const installed = [nginx, caddy].filter(isInstalled)
for (const { name } of [nginx, caddy].filter((proxy) => !installed.includes(proxy))) {
  process.stdout.write(`Not run: the documented configuration of ${name}, because ${name} is not installed.\n`)
}

for (const proxy of installed) {
  it(`the configuration of ${proxy.name} streams, and forwards the host and the client’s address`, async () => {
    const { gateway, web } = await probed()
    const { origin, certificate } = await run(proxy, [gateway, gateway], web)
    onTestFinished(trustOwnAuthorities({ web: { NODE_EXTRA_CA_CERTS: certificate } }))
    for (const process of ['gateway', 'web'] as const) {
      const found = await probe(process, origin, SERVICE_TOKEN, Date.now)
      if (!('seen' in found)) throw new Error(`${process}: ${JSON.stringify(found)}`)
      expect(judgeStreaming(process, origin, found.arrivals)).toMatchObject({ status: 'ok' })
      expect(judgeHost({ seen: found.seen, origin }, true)).toMatchObject({ status: 'ok' })
      if (process === 'web') {
        expect(judgeClientAddress({ ...found, origin, trustedProxies: ['127.0.0.1'] })).toMatchObject({ status: 'ok' })
      }
      expect(found.seen.forwarded['x-forwarded-proto']).toBe('https')
    }
  })
}

for (const proxy of installed.filter((one) => one === nginx)) {
  it(`the configuration of ${proxy.name} uses the remaining gateway, also immediately after its failure`, async () => {
    const left = createServer((request, response) => {
      request.resume().on('end', () => (request.url === '/mcp/broken' ? request.socket.destroy() : response.end('ok')))
    })
    left.listen(0, '127.0.0.1')
    await once(left, 'listening')
    onTestFinished(() => void left.close())
    const { inside } = await run(nginx, [await freePort(), (left.address() as AddressInfo).port], await freePort())
    const post = (path: string) =>
      fetch(inside + path, { method: 'POST', body: 'x'.repeat(1000) }).then(({ status }) => status)
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => post('/mcp/call'))))).toEqual(new Set([200]))
    // Without max_fails=0, nginx would have no gateway for ten seconds.
    expect(await post('/mcp/broken')).toBe(502)
    expect(await post('/mcp/call')).toBe(200)
  })
}
