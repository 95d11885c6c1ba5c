/**
 * The official conformance suite, with the connect flow as the client under test. The suite runs the MCP server and its authorization server;
 * a user connects the space in a browser, sends calls, and connects again if the gateway requests it.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { testDatabase } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { migrate } from '../../src/platform/database.ts'
import { startGateway, type InProcessGateway } from '../support/gateway.ts'

const run = promisify(execFile)
const suiteFolder = join(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'), '..')

type Revision = '2025-11-25' | '2026-07-28'

/** Scored scenarios about an MCP client's messages, which the gateway forwards unchanged. They do not apply to the connect flow. */
const messageScenarios: Record<Revision, readonly string[]> = {
  '2025-11-25': ['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry'],
  '2026-07-28': [
    'tools_call',
    'request-metadata',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
  ],
}

/** The URL that the suite expects. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json'
const MAX_CONSENTS = 3

const Scenario = z.object({
  url: z.url(),
  revision: z.enum(['2025-11-25', '2026-07-28']),
  context: z.object({ client_id: z.string().optional(), client_secret: z.string().optional() }),
})

/** Performs the client's part of one scenario. @returns true if all calls succeeded. */
async function perform({ url, revision, context }: z.infer<typeof Scenario>, databaseUrl: string): Promise<boolean> {
  const { client_id: id, client_secret: secret } = context
  const gateway = await startGateway({
    mcpUrl: url,
    databaseUrl,
    env: {
      SHUTDOWN_GRACE_SECONDS: '0',
      NOTION_MCP_CLIENT_METADATA_URL: CLIENT_METADATA_URL,
      ...(id === undefined ? {} : { NOTION_MCP_CLIENT_ID: id }),
      ...(secret === undefined ? {} : { NOTION_MCP_CLIENT_SECRET: secret }),
    },
  })
  // The scenarios share a database; each has its own server and uses its own space.
  const space = new URL(url).port
  try {
    if (!(await connect(gateway, space))) return false
    for (let consents = 1; ; consents++) {
      const last = revision === '2026-07-28' ? await callModern(gateway, space) : await callLegacy(gateway, space)
      if (last.status < 300) return true
      const mustReconnect = last.status === 401 || last.text.includes('"consent_required"')
      if (!mustReconnect || consents === MAX_CONSENTS || !(await connect(gateway, space))) return false
    }
  } finally {
    await gateway.stop()
  }
}

async function connect(gateway: InProcessGateway, space: string): Promise<boolean> {
  try {
    const returnUrl = await gateway.authorize(space)
    return returnUrl.searchParams.get('status') === 'success'
  } catch {
    return false
  }
}

/** Sends messages in order until one fails. @returns the last response. */
async function sendInOrder(messages: (() => Promise<Response>)[]): Promise<{ status: number; text: string }> {
  let last = { status: 0, text: '' }
  for (const send of messages) {
    const response = await send()
    last = { status: response.status, text: await response.text() }
    if (last.status >= 300) break
  }
  return last
}

const clientInfo = { name: 'a person', version: '1' }
const TOOL = { name: 'test-tool', arguments: {} }

function callLegacy(gateway: InProcessGateway, space: string): ReturnType<typeof sendInOrder> {
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  return sendInOrder([
    () => gateway.call(space, { id: 1, method: 'initialize', params }, { headers }),
    () => gateway.call(space, { method: 'notifications/initialized' }, { headers }),
    () => gateway.call(space, { id: 2, method: 'tools/list' }, { headers }),
    () => gateway.call(space, { id: 3, method: 'tools/call', params: TOOL }, { headers }),
  ])
}

function callModern(gateway: InProcessGateway, space: string): ReturnType<typeof sendInOrder> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': clientInfo,
  }
  const send = (id: number, method: string, params: object, named: Record<string, string> = {}) => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...named }
    return gateway.call(space, { id, method, params: { ...params, _meta } }, { headers })
  }
  return sendInOrder([
    () => send(1, 'tools/list', {}),
    () => send(2, 'tools/call', TOOL, { 'mcp-name': TOOL.name }),
    // One of the suite's servers changes its authorization server before this message.
    () => send(3, 'tools/list', {}),
  ])
}

describe.each<[Revision]>([['2025-11-25'], ['2026-07-28']])(
  'the connect flow in the conformance suite for %s',
  (revision) => {
    /** Receives each scenario from conformance-client.mjs and performs it with a gateway in this process. */
    const scenarioServer = createServer((req, res) => {
      const { searchParams } = new URL(req.url ?? '', 'http://scenarios.test')
      void performNext(JSON.parse(searchParams.get('scenario') ?? '')).then(
        (isDone) => res.writeHead(isDone ? 200 : 409).end(),
        (error: unknown) => res.writeHead(500).end(String(error)),
      )
    })
    let databaseUrl: string
    const performNext = async (scenario: unknown) => perform(Scenario.parse(scenario), databaseUrl)

    beforeAll(async () => {
      databaseUrl = (await testDatabase()).url
      await migrate(databaseUrl)
      await new Promise<void>((resolve) => scenarioServer.listen(0, '127.0.0.1', resolve))
    })
    afterAll(() => {
      scenarioServer.closeAllConnections()
      scenarioServer.close()
    })

    it('passes every scored scenario about authorization', { timeout: 180_000 }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
      try {
        const { port } = scenarioServer.address() as AddressInfo
        const client = join(import.meta.dirname, 'conformance-client.mjs')
        const command = `${process.execPath} ${client} http://127.0.0.1:${port}`
        const options = ['client', '--command', command, '--requirements', revision, '-o', folder, '--timeout', '40000']
        await run(process.execPath, [join(suiteFolder, 'dist/index.js'), ...options], {
          maxBuffer: 64 * 1024 * 1024,
        }).catch((error: { code?: unknown }) => {
          if (typeof error.code !== 'number') throw error
        })
        const problems = await readProblems(folder)
        const all = await readScoredScenarios(revision)
        expect(all).toEqual(expect.arrayContaining([...messageScenarios[revision]]))
        const expected = all.filter((name) => !messageScenarios[revision].includes(name))
        expect(expected.every((name) => name.startsWith('auth/'))).toBe(true)
        expect(expected.filter((name) => problems[name] === undefined)).toEqual([])
        expect(Object.fromEntries(expected.map((name) => [name, problems[name]]))).toEqual(
          Object.fromEntries(expected.map((name) => [name, []])),
        )
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  },
)

/** Failed checks of each scenario, including warnings. */
async function readProblems(folder: string): Promise<Record<string, string[]>> {
  const problems: Record<string, string[]> = {}
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('checks.json'))
  for (const file of files) {
    const name = file.replace(/-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/, '')
    const checks = z
      .array(z.object({ id: z.string(), status: z.string() }))
      .parse(JSON.parse(await readFile(join(folder, file), 'utf8')))
    const failed = checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO').map(({ id }) => id)
    problems[name] = checks.length === 0 ? ['nothing was checked'] : failed
  }
  return problems
}

/** Reads the scored client scenarios of a revision from the suite. */
async function readScoredScenarios(revision: Revision): Promise<string[]> {
  const [file = ''] = (await readdir(join(suiteFolder, 'requirements'))).filter((name) => name.startsWith(revision))
  const text = await readFile(join(suiteFolder, 'requirements', file), 'utf8')
  const [, list = ''] = /^client:\n((?: +- .*\n| *#.*\n)*)/m.exec(text) ?? []
  return [...list.matchAll(/^ +- (\S+)/gm)].map(([, name = '']) => name)
}
