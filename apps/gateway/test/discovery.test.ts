/** Discovery tries all locations of a metadata document, whatever fault the others have, and reports the faults if none works. */
import { guardedFetches, createSsrfGuard } from '@nmg/outbound'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { discover, readIssuerMetadata, type DiscoveryContext } from '../src/connections/oauth/discovery.ts'
import type { Failure } from '../src/platform/failure.ts'
import { type Handler, foreignServer, json, redirect, type ForeignServer } from './support/foreign-server.ts'
import { startGateway } from './support/gateway.ts'

const RESOURCE = '/.well-known/oauth-protected-resource'
const OAUTH = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'

let server: ForeignServer
let context: DiscoveryContext
/** Paths without a response, which get a short time-out. */
let silent: readonly string[] = []

beforeAll(async () => {
  server = await foreignServer('127.0.0.1')
  const guard = createSsrfGuard({ alsoAllow: ['private', 'loopback'] })
  const overrides = { authorize: undefined, token: undefined, registration: undefined, revocation: undefined }
  const fetches = guardedFetches(guard)
  const fetch: DiscoveryContext['fetch'] = (url, init) =>
    fetches({ timeoutMs: silent.includes(new URL(url).pathname) ? 60 : 10_000 })(url, init)
  context = { mcpServer: new URL(server.mcpUrl), overrides, guard, fetch }
})
afterEach(() => {
  server.reset()
  silent = []
})
afterAll(() => server.close())

const page =
  (status: number, headers: Record<string, string> = {}, text = '<!doctype html><title>Hello</title>'): Handler =>
  (_req, res) => {
    res.writeHead(status, { 'content-type': 'text/html', ...headers })
    res.end(text)
  }
const text = (body: string): Handler => page(200, { 'content-type': 'application/json' }, body)

const silence: Handler = () => {}
const endless: Handler = (_req, res) => void res.write('{')

type Kind = 'refuses' | 'unavailable' | 'malformed'
/** Responses that a location may give instead of the document. */
const BAD: [string, Kind, Handler][] = [
  ...[400, 401, 403, 404, 405, 406, 410, 414, 451].map((status): (typeof BAD)[0] => [
    `${status}`,
    'refuses',
    json({ error: 'evil text' }, status),
  ]),
  ...[301, 302, 303, 307, 308].map((status): (typeof BAD)[0] => [
    `${status}`,
    'refuses',
    redirect('https://evil.example/', status),
  ]),
  ...[408, 425, 429, 500, 502, 503, 504, 521].map((status): (typeof BAD)[0] => [
    `${status}`,
    'unavailable',
    page(status, {}, 'evil text'),
  ]),
  ['a Cloudflare challenge', 'unavailable', page(403, { 'cf-mitigated': 'challenge' })],
  ['a Cloudflare block page', 'unavailable', page(403, { server: 'cloudflare' }, 'evil text')],
  [
    'a Cloudflare challenge by its text',
    'unavailable',
    page(403, {}, '<script src="/cdn-cgi/challenge-platform/cf-chl">'),
  ],
  ['a Cloudflare error code', 'unavailable', page(403, { 'content-type': 'text/plain' }, 'error code: 1010')],
  ['a challenge of AWS', 'unavailable', page(405, { 'x-amzn-waf-action': 'captcha' })],
  [
    '403 of a server behind Cloudflare',
    'refuses',
    json({ error: 'evil text' }, 403, { server: 'cloudflare', 'cf-ray': '1' }),
  ],
  ['a refused connection', 'unavailable', (req) => req.socket.destroy()],
  ['silence', 'unavailable', silence],
  ['a body without end', 'unavailable', endless],
  ['a megabyte', 'unavailable', text(`${' '.repeat(1024 * 1024)}{}`)],
  ['a web page', 'malformed', page(200)],
  ['nothing', 'malformed', text('')],
  ['204', 'malformed', (_req, res) => res.writeHead(204).end()],
  ['broken JSON', 'malformed', text('{"issuer": "https://')],
  ['{}', 'malformed', json({})],
  ['null', 'malformed', json(null)],
  ['a list', 'malformed', json([])],
  ['a problem document', 'malformed', json({ error: 'evil text' })],
  [
    'a document of another server',
    'malformed',
    json({
      resource: 'https://evil.example/mcp',
      authorization_servers: ['https://evil.example'],
      issuer: 'https://evil.example',
      authorization_endpoint: 'https://evil.example/authorize',
      token_endpoint: 'https://evil.example/token',
      code_challenge_methods_supported: ['S256'],
    }),
  ],
  ['a document without what is needed', 'malformed', (req, res) => json({ issuer: issuerOf(req.url ?? '') })(req, res)],
]
const issuerOf = (path: string) => server.origin + (path.includes('/tenant') ? '/tenant' : '')

const resource: Handler = (req, res) =>
  json({ resource: server.mcpUrl, authorization_servers: [issuer], ...server.resource })(req, res)
const metadata: Handler = (req, res) =>
  json({
    issuer,
    authorization_endpoint: `${server.origin}/authorize`,
    token_endpoint: `${server.origin}/token`,
    code_challenge_methods_supported: ['S256'],
    ...server.metadata,
  })(req, res)
let issuer = ''

/** Each document with its possible paths in order, and the other document at its usual path. */
const DOCUMENTS = {
  'resource metadata': {
    good: resource,
    paths: ['/named', `${RESOURCE}/mcp`, RESOURCE],
    path: '',
    other: [OAUTH, metadata],
  },
  'metadata of an issuer without a path': {
    good: metadata,
    paths: [OAUTH, OPENID],
    path: '',
    other: ['/named', resource],
  },
  'metadata of an issuer with a path': {
    good: metadata,
    paths: [`${OAUTH}/tenant`, `${OPENID}/tenant`, `/tenant${OPENID}`],
    path: '/tenant',
    other: ['/named', resource],
  },
} satisfies Record<string, { good: Handler; paths: string[]; path: string; other: [string, Handler] }>

/** Replaces all metadata by `documents`. @returns the paths requested so far. */
function publish(documents: Record<string, Handler>, issuerPath: string): string[] {
  issuer = server.origin + issuerPath
  server.resourceMetadata = `${server.origin}/named`
  const asked: string[] = []
  for (const path of Object.keys(server.handlers)) if (path.startsWith('/.well-known/')) delete server.handlers[path]
  for (const [path, handle] of Object.entries(documents)) {
    server.handlers[path] = (req, res) => {
      asked.push(path)
      handle(req, res)
    }
  }
  return asked
}

const failure = (): Promise<Failure> =>
  discover(context).then(
    () => expect.unreachable(),
    (error: Failure) => error,
  )

describe.each(Object.entries(DOCUMENTS))('%s', (_name, { good, paths, path: issuerPath, other }) => {
  const fill = (count: number, bad: Handler) => {
    silent = bad === silence || bad === endless ? paths.slice(0, count) : []
    return publish(
      { [other[0]]: other[1], ...Object.fromEntries(paths.map((path, at) => [path, at < count ? bad : good])) },
      issuerPath,
    )
  }

  it.each(BAD)('is found at every later location after %s', async (_what, _kind, bad) => {
    for (let count = 0; count < paths.length; count++) {
      const asked = fill(count, bad)
      expect((await discover(context)).issuer).toBe(issuer)
      expect(asked.filter((path) => paths.includes(path))).toEqual(paths.slice(0, count + 1))
    }
  })

  it.each(BAD)('is missing when all locations respond with %s: %s', async (what, kind, bad) => {
    const asked = fill(paths.length, bad)
    const isFallback = good === resource && kind === 'refuses'
    if (isFallback) {
      issuer = server.origin
      expect(await discover(context)).toMatchObject({ issuer, resource: null })
      return
    }
    const { code, message, retryAfterSeconds } = await failure()
    expect(asked.filter((path) => paths.includes(path))).toEqual(paths)
    expect([what, code]).toEqual([what, kind === 'unavailable' ? 'authorization_unavailable' : 'authorization_refused'])
    expect(message).toContain(
      {
        refuses: /^4(04|10)$/.test(what) ? 'publishes no metadata' : 'refuses to give',
        unavailable: 'is unavailable',
        malformed: 'can be used',
      }[kind],
    )
    expect(message).toContain(server.origin)
    expect(message).toMatch(kind === 'unavailable' ? /Try again/ : /Ask its operator/)
    expect(message).not.toMatch(/evil|tenant|named/)
    expect(retryAfterSeconds).toBe(kind === 'unavailable' ? 30 : undefined)
  })
})

it('does not treat the MCP server as its own authorization server while the resource metadata is unavailable', async () => {
  for (const at of [0, 1, 2]) {
    const bad = ['/named', `${RESOURCE}/mcp`, RESOURCE].map((path, n) => [path, n === at ? page(503) : page(404)])
    publish({ [OAUTH]: metadata, ...Object.fromEntries(bad) }, '')
    expect(await failure()).toMatchObject({ code: 'authorization_unavailable' })
  }
})

it.each([
  ['120', 120],
  ['999999999', 3600],
  ['in half an hour', 1790],
  ['soon', 30],
  ['-5', 30],
])('limits the forwarded Retry-After %s to %d', async (value, seconds) => {
  const sent = value === 'in half an hour' ? new Date(Date.now() + 1_800_000).toUTCString() : value
  publish({ '/named': resource, [OAUTH]: page(429, { 'retry-after': sent }) }, '')
  const { retryAfterSeconds = 0 } = await failure()
  expect(Math.abs(retryAfterSeconds - seconds)).toBeLessThanOrEqual(value === String(seconds) ? 0 : 10)
})

describe('an optional member of an unexpected type', () => {
  const ODD = [undefined, null, '', ' ', 'n/a', '/relative', 7, true, {}, [], [''], 'mailto:a@b.test']

  it.each([
    ['registration_endpoint', 'registrationEndpoint', null],
    ['revocation_endpoint', 'revocationEndpoint', null],
    ['client_id_metadata_document_supported', 'takesMetadataDocuments', false],
    ['authorization_response_iss_parameter_supported', 'promisesIssuer', false],
  ] as const)('%s is ignored', async (member, known, fallback) => {
    publish({ '/named': resource, [OAUTH]: metadata }, '')
    for (const odd of ODD) {
      server.metadata[member] = odd
      const isPromise = odd === true
      expect([odd, (await discover(context))[known]]).toEqual([odd, isPromise && fallback === false ? true : fallback])
    }
  })

  it.each([
    [undefined, null],
    [null, null],
    ['', null],
    [7, null],
    [{}, null],
    [[], null],
    [[null, 7, ''], null],
    [['none', null], ['none']],
    ['none', ['none']],
    [
      ['client_secret_post', 'none'],
      ['client_secret_post', 'none'],
    ],
  ])('is parsed leniently: token_endpoint_auth_methods_supported %j as %j', async (given, methods) => {
    publish({ '/named': resource, [OAUTH]: metadata }, '')
    server.metadata['token_endpoint_auth_methods_supported'] = given
    expect((await discover(context)).tokenEndpointAuthMethods).toEqual(methods)
  })

  it.each([
    [null, null],
    ['', null],
    [7, null],
    [{}, null],
    [['a', 7, null, 'b'], 'a b'],
    [['a,b', 'c'], 'a b c'],
    ['a b', 'a b'],
    ['a, b', 'a b'],
  ])('is parsed leniently: scopes_supported %j of the resource as %j', async (given, scope) => {
    publish({ '/named': resource, [OAUTH]: metadata }, '')
    server.resource['scopes_supported'] = given
    expect((await discover(context)).scope).toBe(scope)
  })
})

describe('the metadata of one issuer', () => {
  it('are read again with the current endpoints', async () => {
    publish({ [`/tenant${OPENID}`]: metadata }, '/tenant')
    server.metadata['token_endpoint'] = `${server.origin}/moved`
    expect(await readIssuerMetadata(new URL(issuer), context)).toMatchObject({
      issuer,
      tokenEndpoint: `${server.origin}/moved`,
    })
  })

  it('are overridden by the endpoints of the settings', async () => {
    publish({ [OAUTH]: metadata }, '')
    const overrides = { ...context.overrides, token: new URL(`${server.origin}/mine`) }
    const { tokenEndpoint } = await readIssuerMetadata(new URL(issuer), { ...context, overrides })
    expect(tokenEndpoint).toBe(`${server.origin}/mine`)
  })

  it.each([
    ['are not there', {}, true],
    ['are a web page', { [OAUTH]: page(200), [OPENID]: page(200) }, true],
    ['cannot be read now', { [OAUTH]: page(503) }, false],
    ['are of another issuer', { [OAUTH]: BAD.at(-2)![2] }, false],
  ])('that %s are not needed if the settings have the endpoints: %j %s', async (_what, documents, isUsed) => {
    publish(documents, '')
    const endpoint = new URL(`${server.origin}/mine`)
    const overrides = { ...context.overrides, authorize: endpoint, token: endpoint }
    const reading = readIssuerMetadata(new URL(issuer), { ...context, overrides })
    if (isUsed) expect(await reading).toMatchObject({ issuer, tokenEndpoint: endpoint.href })
    else await expect(reading).rejects.toMatchObject({ name: 'Failure' })
  })

  it('cannot lead to a less public address than the issuer', async () => {
    publish({ [OAUTH]: metadata }, '')
    const guard = createSsrfGuard({ trustedOrigins: [server.origin] })
    const guarded = { ...context, guard, fetch: guardedFetches(guard)() }
    expect(await readIssuerMetadata(new URL(issuer), guarded)).toMatchObject({ issuer })
    for (const endpoint of ['token_endpoint', 'revocation_endpoint', 'registration_endpoint']) {
      server.metadata[endpoint] = 'https://127.0.0.1:1/token'
      await expect(readIssuerMetadata(new URL(issuer), guarded)).rejects.toThrow('a forbidden address')
      delete server.metadata[endpoint]
    }
    await expect(readIssuerMetadata(new URL('https://10.0.0.1'), guarded)).rejects.toThrow('a forbidden address')
  })
})

it('reports the fault of each address and the next step to users', async () => {
  publish({ '/named': resource, [OAUTH]: page(503, { 'retry-after': '7' }), [OPENID]: page(403) }, '')
  const gateway = await startGateway({ mcpUrl: server.mcpUrl })
  try {
    const start = () => gateway.fetch('/integrations/notion/oauth/mcp/start?space_id=north')
    const response = await start()
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7'])
    expect(await response.json()).toMatchObject({
      code: 'authorization_unavailable',
      detail: `The authorization server ${server.origin} is unavailable: ${server.origin}${OAUTH} answered 503; ${server.origin}${OPENID} answered 403. Try again in a minute.`,
    })
    server.handlers[OPENID] = metadata
    server.metadata['registration_endpoint'] = `${server.origin}/register`
    expect((await start()).status).toBe(200)
  } finally {
    await gateway.stop()
  }
})
