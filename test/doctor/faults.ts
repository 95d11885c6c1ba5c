import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateFor, freePort } from '@nmg/process/testing'
import type { Area } from '../../scripts/doctor/report.ts'
import { elsewhere, trustingWeb, type Expected, type Fault, type Installed } from './installed.ts'

/** Seeds a fault into the settings or the environment until the end of the test. */
type Seed = (at: Installed) => Fault | Promise<Fault>

function openFolder(parent: string): string {
  const path = join(parent, 'open')
  mkdirSync(path, { recursive: true })
  spawnSync('chmod', ['777', path])
  return path
}

const OTHER_TOKEN = 'a-token-that-nobody-else-has'
const MINUTES = 60_000

/** One or more faults of each area, with the expected finding. */
export const FAULTS: readonly [area: Area, what: string, seed: Seed, expected: Expected][] = [
  [
    'settings',
    'an invalid value',
    () => ({ gateway: { LOG_LEVEL: 'loud' } }),
    { status: 'error', change: 'LOG_LEVEL=…' },
  ],
  ['settings', 'missing secrets', () => ({ web: { AUTH_SECRET: '' } }), { status: 'error', change: 'AUTH_SECRET=…' }],
  [
    'settings',
    'two service tokens',
    () => ({ web: { GATEWAY_SERVICE_TOKEN: OTHER_TOKEN } }),
    { status: 'error', change: /^GATEWAY_SERVICE_TOKEN=/ },
  ],
  [
    'settings',
    'a short service token',
    () => ({ gateway: { GATEWAY_SERVICE_TOKEN: 'short' } }),
    { status: 'warning', title: /guessed/ },
  ],
  [
    'settings',
    'another return base',
    () => ({ gateway: { NOTION_MCP_RETURN_BASE_URL: 'https://old.example.com' } }),
    { status: 'error', change: /^NOTION_MCP_RETURN_BASE_URL=http:\/\/localhost:/ },
  ],
  [
    'settings',
    'two public URLs of the gateway',
    () => ({ web: { GATEWAY_PUBLIC_URL: 'https://gateway.example.com' } }),
    { status: 'error', change: /^GATEWAY_PUBLIC_URL=http:\/\/localhost:/ },
  ],
  [
    'settings',
    'a cookie outside of the callback’s domain',
    () => ({
      gateway: { NOTION_MCP_OAUTH_REDIRECT_URI: 'https://gateway.example.com/integrations/notion/mcp/oauth/callback' },
      web: { WEB_URL: 'https://notion.example.com' },
    }),
    { status: 'error', change: 'BINDING_COOKIE_DOMAIN=example.com' },
  ],
  [
    'settings',
    'a web app without TLS',
    () => ({ web: { WEB_URL: 'http://notion.example.com' } }),
    { status: 'warning', change: 'WEB_URL=https://notion.example.com' },
  ],
  [
    'settings',
    'a missing CA file',
    (at) => ({ gateway: { NODE_EXTRA_CA_CERTS: join(at.folder, 'none.pem') } }),
    { status: 'error', change: /^NODE_EXTRA_CA_CERTS=/ },
  ],
  [
    'disk',
    'a data folder that others can write',
    (at) => ({ gateway: { DATABASE_URL: '', DATA_DIR: openFolder(at.folder) } }),
    { status: 'error', change: /^chmod 700 / },
  ],
  [
    'disk',
    'no place for the mark',
    (at) => ({ gateway: { REDIS_URL: '', DATA_DIR: join(at.folder, 'none') } }),
    { status: 'warning', change: /^REDIS_URL=/ },
  ],
  [
    'database',
    'an unreachable server',
    async () => ({ gateway: { DATABASE_URL: `postgresql://a:b@127.0.0.1:${await freePort()}/c` } }),
    { status: 'error', title: /does not answer \(ECONNREFUSED\)/, change: 'DATABASE_URL=…' },
  ],
  [
    'database',
    'a schema with a missing migration',
    (at) =>
      at.changed(
        `delete from gateway.migrations where name = '0032-retention.sql'`,
        `insert into gateway.migrations (name) values ('0032-retention.sql')`,
      ),
    { status: 'warning', title: /lacks 0032-retention\.sql/ },
  ],
  [
    'database',
    'a schema of a newer release',
    (at) =>
      at.changed(
        `insert into web.migrations (name, oldest_release) values ('9001-later.sql', 99)`,
        `delete from web.migrations where name = '9001-later.sql'`,
      ),
    { status: 'error', title: /9001-later\.sql/ },
  ],
  [
    'database',
    'pools larger than the server',
    () => ({ gateways: 4, gateway: { DATABASE_POOL_SIZE: '400' } }),
    { status: 'error', title: /4 × 402 \(gateway\) \+ 1 × 10 \(web app\)/, change: /^max_connections = / },
  ],
  [
    'database',
    'a hold',
    (at) =>
      at.changed(
        `insert into gateway.database_hold (reasons) values ('{restored_dump}')`,
        'delete from gateway.database_hold',
      ),
    { status: 'error', change: 'npm run database adopt' },
  ],
  [
    'clock',
    'a clock that is minutes ahead',
    () => ({ now: () => Date.now() + 5 * MINUTES }),
    { status: 'error', title: /300\.\d seconds ahead/ },
  ],
  [
    'clock',
    'a clock that is seconds behind',
    () => ({ now: () => Date.now() - 10_000 }),
    { status: 'warning', title: /10\.\d seconds behind/ },
  ],
  [
    'redis',
    'an unreachable Redis',
    async () => ({ gateway: { REDIS_URL: `redis://127.0.0.1:${await freePort()}` } }),
    { status: 'error', title: /ECONNREFUSED/, change: 'REDIS_URL=…' },
  ],
  [
    'keys',
    'a key of another value',
    () => ({ gateway: { CREDENTIAL_KEYS: `test:${Buffer.alloc(32, 8).toString('base64')}` } }),
    { status: 'error', title: /do not open [1-9]/, change: 'CREDENTIAL_KEYS=test:…' },
  ],
  [
    'keys',
    'a key of another name',
    () => ({ gateway: { CREDENTIAL_KEYS: `new:${Buffer.alloc(32, 8).toString('base64')}` } }),
    { status: 'error', change: 'CREDENTIAL_KEYS=new:…,test:…' },
  ],
  [
    'keys',
    'another AUTH_SECRET',
    () => ({ web: { AUTH_SECRET: 'another-secret-of-the-web-app-0123' } }),
    { status: 'error', change: 'AUTH_SECRETS=<new>,<old>' },
  ],
  [
    'tls',
    'a certificate of an unknown authority',
    async (at) => ({ web: { WEB_URL: await at.behind({ certificate: certificateFor('localhost') }) } }),
    { status: 'error', title: /not trusted/, change: /^NODE_EXTRA_CA_CERTS=/ },
  ],
  [
    'tls',
    'a certificate for another name',
    async (at) => {
      const certificate = certificateFor('elsewhere.example.com')
      const file = join(at.folder, 'ca.pem')
      writeFileSync(file, certificate.cert)
      return { web: { NODE_EXTRA_CA_CERTS: file, WEB_URL: await at.behind({ certificate }) } }
    },
    { status: 'error', title: /for another name/, change: 'WEB_URL=…' },
  ],
  [
    'processes',
    'a stopped gateway',
    async () => ({ web: { CUDU_ENDPOINT: `http://localhost:${await freePort()}` } }),
    { status: 'error', title: /gateway does not respond/, change: 'CUDU_ENDPOINT=…' },
  ],
  [
    'processes',
    'a stopped web app',
    async () => ({ web: { WEB_URL: `http://localhost:${await freePort()}` } }),
    { status: 'error', title: /web app does not respond/ },
  ],
  [
    'processes',
    'a gateway with another token',
    () => ({ web: { GATEWAY_SERVICE_TOKEN: OTHER_TOKEN } }),
    { status: 'error', change: /^GATEWAY_SERVICE_TOKEN=/ },
  ],
  [
    'proxy',
    'missing TRUSTED_PROXIES',
    async (at) => ({ web: { WEB_URL: await at.behind({}) } }),
    { status: 'error', title: /limits of one user/, change: 'TRUSTED_PROXIES=127.0.0.1' },
  ],
  [
    'proxy',
    'a proxy that forwards the client’s header unchanged',
    async (at) => ({ web: { WEB_URL: await at.behind({ forwardedFor: 'pass' }, await trustingWeb()) } }),
    { status: 'error', title: /Clients can choose/, change: /^proxy_set_header X-Forwarded-For / },
  ],
  [
    'proxy',
    'another host',
    async (at) => ({ web: { WEB_URL: await at.behind({ changesHost: true }) } }),
    { status: 'warning', change: /^proxy_set_header Host / },
  ],
  [
    'proxy',
    'a name of another host',
    async () => ({ web: { WEB_URL: await elsewhere() } }),
    { status: 'error', title: /is not the web app of this installation/, change: 'WEB_URL=…' },
  ],
  [
    'proxy',
    'an unreachable name',
    async () => ({ gateway: { GATEWAY_PUBLIC_URL: `http://localhost:${await freePort()}` } }),
    { status: 'error', title: /ECONNREFUSED/, change: 'GATEWAY_PUBLIC_URL=…' },
  ],
  [
    'streaming',
    'a proxy of the web app that buffers',
    async (at) => ({ web: { WEB_URL: await at.behind({ buffers: true }) } }),
    { status: 'error', change: /^proxy_buffering off/ },
  ],
  [
    'streaming',
    'a proxy of the gateway that buffers',
    async (at) => ({ gateway: { GATEWAY_PUBLIC_URL: await at.behind({ buffers: true }, at.product.gatewayUrl) } }),
    { status: 'error', change: /^proxy_buffering off/ },
  ],
  [
    'jwks',
    'keys of another host',
    async () => {
      const origin = await elsewhere()
      return { web: { WEB_URL: origin }, gateway: { NOTION_MCP_RETURN_BASE_URL: origin } }
    },
    { status: 'error', title: /not those of this web app/, change: /^WEB_URL=/ },
  ],
  [
    'jwks',
    'an unreachable issuer',
    async () => ({ gateway: { NOTION_MCP_RETURN_BASE_URL: `http://localhost:${await freePort()}` } }),
    { status: 'error', title: /ECONNREFUSED/ },
  ],
  [
    'notion',
    'an unreachable server',
    async () => ({ gateway: { NOTION_MCP_SERVER_URL: `http://localhost:${await freePort()}/mcp` } }),
    { status: 'error', title: /cannot be used, directly/, change: /^HTTPS_PROXY=/ },
  ],
  [
    'notion',
    'an unreachable outbound proxy',
    async () => ({
      gateway: {
        NOTION_MCP_SERVER_URL: 'https://mcp.example.com/mcp',
        HTTPS_PROXY: `http://127.0.0.1:${await freePort()}`,
      },
    }),
    { status: 'error', title: /through HTTPS_PROXY/, change: 'HTTPS_PROXY=…' },
  ],
]
