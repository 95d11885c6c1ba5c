/** docs/openapi.json, compared with a running gateway. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { SmartRouter } from 'hono/router/smart-router'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startGateway, type InProcessGateway } from './support/gateway.ts'

interface Schema {
  properties?: object
  additionalProperties?: unknown
}
interface DocumentedResponse {
  content?: Record<string, { schema?: Schema }>
}
interface Document {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, DocumentedResponse> }>>
  components: { schemas: Record<string, Schema> }
}

const api = JSON.parse(readFileSync(join(repositoryRoot, 'docs/openapi.json'), 'utf8')) as Document

/** Limit of one client, which only the last tests exceed. */
const REQUESTS_PER_MINUTE = 10

let simulator: Simulator
let gateway: InProcessGateway
const routes = new Set<string>()
const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true, unicodeRegExp: true })
// Its types describe CommonJS.
;(addFormats as unknown as (ajv: Ajv2020) => void)(ajv)
ajv.addVocabulary(['openapi', 'info', 'servers', 'tags', 'paths', 'components'])

beforeAll(async () => {
  // Rejects members that the document lacks.
  for (const schema of Object.values(api.components.schemas)) {
    if (schema.properties && schema.additionalProperties === undefined) schema.additionalProperties = false
  }
  ajv.addSchema({ $id: 'api', ...api })
  simulator = await startSimulator({ options: { autoApprove: true } })
  const add = vi.spyOn(SmartRouter.prototype, 'add')
  gateway = await startGateway({
    mcpUrl: simulator.mcpUrl,
    env: { CLIENT_REQUESTS_PER_MINUTE: `${REQUESTS_PER_MINUTE}` },
  })
  for (const [method, path] of add.mock.calls) routes.add(`${method} ${path}`)
  add.mockRestore()
})
afterAll(async () => {
  await gateway?.stop()
  await simulator?.close()
})

const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, ...operation })),
)

/** The responses received so far, as `operationId status`. */
const seen = new Set<string>()

const pointer = (...parts: string[]) =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')

/** Sends a request of an operation and validates the response against the document. */
async function send(
  operationId: string,
  path: string,
  { status, code, ...init }: { status: number; code?: string } & Parameters<InProcessGateway['fetch']>[1],
): Promise<unknown> {
  const operation = operations.find((each) => each.operationId === operationId)
  if (!operation) throw new Error(`The document has no operation ${operationId}.`)
  const response = await gateway.fetch(path, { method: operation.method, ...init })
  const type = response.headers.get('content-type')?.split(';')[0] ?? ''
  const isStream = type === 'text/event-stream'
  // A stream from the server does not end.
  const text = isStream ? type : await response.text()
  if (isStream) await response.body?.cancel()
  expect([operationId, response.status, text]).toEqual([operationId, status, expect.anything()])
  const documented = operation.responses[status] ? `${status}` : 'default'
  const { content } = operation.responses[documented] ?? {}
  expect(Object.keys(operation.responses), `the document has ${operationId} ${status}`).toContain(documented)
  seen.add(`${operationId} ${documented}`)
  if (documented === 'default') return undefined

  if (text === '') {
    expect(content).toBeUndefined()
    return undefined
  }
  expect(Object.keys(content ?? {})).toContain(type)
  if (isStream) return undefined
  const body: unknown = JSON.parse(text)
  const schemaPath = ['paths', operation.path, operation.method.toLowerCase(), 'responses', `${status}`, 'content']
  // A forwarded response has no schema.
  if (content?.[type]?.schema !== undefined) {
    const validate = ajv.getSchema(`api#${pointer(...schemaPath, type, 'schema')}`)
    expect(validate?.(body) ? [] : validate?.errors, `${operationId} ${status}: ${text}`).toEqual([])
  }
  if (code !== undefined) expect(body).toMatchObject({ code, status })
  return body
}

const json = (body: unknown, headers: Record<string, string> = {}) => ({
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const encoded = (body: unknown) => ({ ...json(body, { 'content-encoding': 'gzip' }), code: 'unsupported_encoding' })
/** Larger than the router accepts. */
const LARGE = JSON.stringify({ text: 'x'.repeat(20_000) })
const nobody = { headers: { authorization: 'Bearer wrong' }, status: 401, code: 'unauthenticated' } as const
const message = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params })
const INITIALIZE = message('initialize', {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'openapi', version: '1' },
})
const newKey = async (spaceId: string) =>
  (await send('createKey', '/access/keys', {
    ...json({ spaceId, scope: 'notion:write', name: 'Laptop' }),
    status: 201,
  })) as { id: string; key: string }
const MCP = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' }

describe('the OpenAPI document', () => {
  it('has every route of the router', () => {
    const documented = operations.map(({ method, path }) => `${method} ${path}`)
    const missing = [...routes].filter((route) => {
      const pattern = route.replaceAll(/:\w+/g, '[{]\\w+[}]').replaceAll('*', '.+').replaceAll('.well', '\\.well')
      return !documented.some((operation) => new RegExp(`^${pattern}$`).test(operation))
    })
    expect(routes.size).toBeGreaterThan(10)
    expect(missing).toEqual([])
  })

  it('has schemas that are valid, and operations with ids of their own', () => {
    for (const [name, schema] of Object.entries(api.components.schemas)) {
      expect(ajv.validateSchema(schema), `${name}: ${ajv.errorsText()}`).toBe(true)
    }
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  })

  it('describes what connecting, reading and disconnecting respond', async () => {
    const start = '/integrations/notion/oauth/mcp/start'
    const { authorizeUrl } = (await send('startAuthorization', `${start}?space_id=north&confirm_workspace=1`, {
      status: 200,
    })) as { authorizeUrl: string }
    await send('startAuthorization', `${start}?space_id=north`, nobody)
    await send('startAuthorization', start, { status: 400, code: 'missing_space' })
    await send('startAuthorization', `${start}?space_id=a&return_path=//evil.test`, {
      status: 400,
      code: 'invalid_return_path',
    })
    for (let count = 0; count < 10; count++)
      await send('startAuthorization', `${start}?space_id=often`, { status: 200 })
    await send('startAuthorization', `${start}?space_id=often`, { status: 429, code: 'rate_limited' })

    const consent = await fetch(authorizeUrl, { redirect: 'manual' })
    const { pathname, search } = new URL(consent.headers.get('location') ?? '')
    await send('finishAuthorization', pathname + search, { status: 503, headers: { 'sec-purpose': 'prefetch' } })
    await send('finishAuthorization', pathname + search, { status: 303 })

    const space = '/integrations/notion/north'
    const tooLong = `/integrations/notion/${'x'.repeat(201)}`
    await send('readConnection', space, { status: 200 })
    await send('readConnection', space, nobody)
    await send('readConnection', '/integrations/notion/nowhere', { status: 404, code: 'not_connected' })
    await send('readConnection', tooLong, { status: 400, code: 'invalid_request' })
    await send('readHistory', `${space}/events?limit=1`, { status: 200 })
    await send('readHistory', `${space}/events`, nobody)
    await send('readHistory', `${space}/events?limit=201`, { status: 400, code: 'invalid_request' })
    await send('readHistory', '/integrations/notion/nowhere/events', { status: 404, code: 'not_connected' })

    // A reconnect for another workspace, which requires a confirmation.
    simulator.setOptions({ autoApprove: { workspace: 'Northwind' }, revokeExistingGrants: 'same-user-and-workspace' })
    await gateway.start('north', { confirm_workspace: '1' }).then(async (again) => {
      const redirect = await fetch(again.authorizeUrl, { redirect: 'manual' })
      await fetch(redirect.headers.get('location') ?? '', { redirect: 'manual' })
    })
    const { waiting } = (await send('readConnection', space, { status: 200 })) as { waiting: { id: string } }
    const decision = { id: waiting.id, accept: true }
    await send('decideWorkspaceChange', `${space}/waiting`, { ...json(decision), ...nobody })
    await send('decideWorkspaceChange', `${space}/waiting`, { ...json('{'), status: 400, code: 'invalid_json' })
    await send('decideWorkspaceChange', `${space}/waiting`, { ...json({}), status: 400, code: 'invalid_request' })
    await send('decideWorkspaceChange', `${space}/waiting`, { ...json(LARGE), status: 413, code: 'too_large' })
    await send('decideWorkspaceChange', `${space}/waiting`, { ...encoded(decision), status: 415 })
    await send('decideWorkspaceChange', `${space}/waiting`, { ...json(decision), status: 200 })
    await send('decideWorkspaceChange', `${space}/waiting`, { ...json(decision), status: 404, code: 'not_found' })

    await send('disconnect', space, nobody)
    await send('disconnect', tooLong, { status: 400, code: 'invalid_request' })
    await send('disconnect', space, { status: 200 })
    await send('disconnect', '/integrations/notion/nowhere', { status: 200 })
    simulator.setOptions({ autoApprove: true })
  })

  it('describes what keys, revocations and clients respond', async () => {
    const key = { spaceId: 'keys', scope: 'notion:read', name: 'Laptop', expiresAt: '2099-01-01T00:00:00Z' }
    await send('createKey', '/access/keys', { ...json(key), ...nobody })
    await send('createKey', '/access/keys', { ...json('{'), status: 400, code: 'invalid_json' })
    await send('createKey', '/access/keys', { ...json(LARGE), status: 413, code: 'too_large' })
    await send('createKey', '/access/keys', { ...encoded(key), status: 415, code: 'unsupported_encoding' })
    const { id } = (await send('createKey', '/access/keys', { ...json(key), status: 201 })) as { id: string }
    await send('listKeys', '/access/keys?space_id=keys&user_id=ada', { status: 200 })
    await send('listKeys', '/access/keys', { status: 400, code: 'missing_space' })
    await send('listKeys', '/access/keys?space_id=keys', nobody)
    await send('deleteKey', `/access/keys/${id}`, nobody)
    await send('deleteKey', `/access/keys/${id}`, { status: 204 })

    const revocation = { spaceId: 'keys', userId: 'ada' }
    await send('revokeAccess', '/access/revocations', { ...json(revocation), ...nobody })
    await send('revokeAccess', '/access/revocations', { ...json({}), status: 400, code: 'invalid_request' })
    await send('revokeAccess', '/access/revocations', { ...json(LARGE), status: 413, code: 'too_large' })
    await send('revokeAccess', '/access/revocations', { ...encoded(revocation), status: 415 })
    await send('revokeAccess', '/access/revocations', { ...json(revocation), status: 204 })
    await send('listClients', '/access/clients?space_id=keys', nobody)
    await send('listClients', '/access/clients', { status: 400, code: 'missing_space' })
  })

  describe.each([
    ['without a space in the address', '', '/mcp/notion/proxy'],
    ['of a space', 'OfSpace', '/mcp/notion/spaces/mcp'],
  ])('describes the MCP endpoint %s,', (_, suffix, path) => {
    const post = (status: number, body: unknown, headers: Record<string, string> = {}, code?: string) =>
      send(`sendMcpMessage${suffix}`, path, {
        ...json(body, { ...MCP, 'x-space-id': 'mcp', ...headers }),
        status,
        ...(code === undefined ? {} : { code }),
      })

    it('as applications use it', async () => {
      await gateway.connect('mcp')
      await post(200, INITIALIZE)
      await post(202, { jsonrpc: '2.0', method: 'notifications/initialized' })
      await post(400, '{', {}, 'invalid_json')
      await post(401, INITIALIZE, { authorization: 'Bearer wrong' })
      await post(403, { ...INITIALIZE, meta: { space_id: 'another' } }, {}, 'forbidden_space')
      await post(404, message('tools/list'), { 'mcp-session-id': 'of-nobody' }, 'unknown_session')
      await post(413, 'x'.repeat(5_000_000), {}, 'too_large')
      await post(415, INITIALIZE, { 'content-encoding': 'gzip' }, 'unsupported_encoding')
    })

    it("as users' clients use it", async () => {
      const { key } = await newKey('mcp')
      const { key: lost } = await newKey('lost')
      await post(200, message('tools/list'), { authorization: `Bearer ${key}` })
      await post(403, message('tools/list'), { authorization: `Bearer ${lost}` })
      await post(400, '{', { authorization: `Bearer ${key}` })
      const list = (await send('listClients', '/access/clients?space_id=mcp', { status: 200 })) as {
        clients: unknown[]
      }
      expect(list.clients).not.toEqual([])
    })

    it('with its other methods', async () => {
      const headers = { ...MCP, 'x-space-id': 'mcp' }
      const contradicting = { ...headers, 'x-user-id': 'ada', authorization: `Bearer ${(await newKey('other')).key}` }
      for (const operation of [`openMcpStream${suffix}`, `endMcpSession${suffix}`]) {
        // Notion has neither streams from the server nor sessions.
        await send(operation, path, { headers, status: 405 })
        await send(operation, path, { headers: nobody.headers, status: 401 })
        await send(operation, path, { headers: contradicting, status: 403 })
        await send(operation, path, {
          headers: { ...headers, 'mcp-session-id': 'of-nobody' },
          status: 404,
          code: 'unknown_session',
        })
      }
    })

    it('to a client that calls too often', async () => {
      const headers = { authorization: `Bearer ${(await newKey('mcp')).key}` }
      for (let count = 0; count < REQUESTS_PER_MINUTE; count++) await post(200, message('tools/list'), headers)
      await post(429, message('tools/list'), headers)
      await send(`openMcpStream${suffix}`, path, { headers, status: 429 })
      await send(`endMcpSession${suffix}`, path, { headers, status: 429 })
    })

    it('and its metadata', async () => {
      const metadata = `/.well-known/oauth-protected-resource${path}`
      await send(`readResourceMetadata${suffix}`, metadata, { status: 200 })
      if (suffix !== '')
        await send(`readResourceMetadata${suffix}`, metadata.replace(/mcp$/, '%00'), { status: 404, code: 'not_found' })
      await send(`preflightResourceMetadata${suffix}`, metadata, { status: 204 })
    })
  })

  it('describes the health checks', async () => {
    await send('checkLiveness', '/healthz', { status: 200 })
    await send('checkReadiness', '/readyz', { status: 200 })
  })

  it('describes what happens while Notion cannot be reached', async () => {
    const { key } = await newKey('mcp')
    await simulator.close()
    for (const [suffix, path] of [
      ['', '/mcp/notion/proxy'],
      ['OfSpace', '/mcp/notion/spaces/mcp'],
    ] as const) {
      const headers = { ...MCP, 'x-space-id': 'mcp' }
      await send(`sendMcpMessage${suffix}`, path, {
        ...json(INITIALIZE, headers),
        status: 502,
        code: 'upstream_unreachable',
      })
      await send(`sendMcpMessage${suffix}`, path, {
        ...json(INITIALIZE, { ...headers, authorization: `Bearer ${key}` }),
        status: 502,
      })
    }
    await send('startAuthorization', '/integrations/notion/oauth/mcp/start?space_id=new', {
      status: 503,
      code: 'authorization_unavailable',
    })
  })

  // Last: it looks at what the tests above have seen.
  it('has every response of the document seen, except failures of its own surroundings', () => {
    const documented = operations.flatMap(({ operationId, responses }) =>
      Object.keys(responses)
        .filter((status) => Number(status) < 500)
        .map((status) => `${operationId} ${status}`),
    )
    const elsewhere = [
      // Notion has neither streams from the server nor sessions.
      /^(openMcpStream|endMcpSession)(OfSpace)? 200$/,
      // Only with CLIENT_TOKEN_ISSUERS=[].
      /^readResourceMetadata 404$/,
    ]
    expect(documented.filter((name) => !seen.has(name) && !elsewhere.some((rule) => rule.test(name)))).toEqual([])
  })
})
