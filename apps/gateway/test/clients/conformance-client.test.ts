/**
 * The official conformance suite with the connect flow as the client under test: the suite plays the MCP server and its authorization server, and
 * a person with a browser connects the space, calls, and connects again where the gateway says that this is needed.
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

/** Scored, and not what a connect flow does: these speak of an MCP client's messages, which a gateway passes on unchanged. */
const messages: Record<Revision, readonly string[]> = {
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

/** The address that the suite has in mind. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json'
const MOST_CONSENTS = 3

const Assignment = z.object({
  url: z.url(),
  revision: z.enum(['2025-11-25', '2026-07-28']),
  context: z.object({ client_id: z.string().optional(), client_secret: z.string().optional() }),
})

/** Carries out what one scenario asks of a client. @returns whether all calls were answered. */
async function perform({ url, revision, context }: z.infer<typeof Assignment>, databaseUrl: string): Promise<boolean> {
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
  // All of them share a database, and each has its own server.
  const space = new URL(url).port
  try {
    if (!(await connects(gateway, space))) return false
    for (let consents = 1; ; consents++) {
      const last = revision === '2026-07-28' ? await callModern(gateway, space) : await callLegacy(gateway, space)
      if (last.status < 300) return true
      const isToReconnect = last.status === 401 || last.text.includes('"consent_required"')
      if (!isToReconnect || consents === MOST_CONSENTS || !(await connects(gateway, space))) return false
    }
  } finally {
    await gateway.stop()
  }
}

async function connects(gateway: InProcessGateway, space: string): Promise<boolean> {
  try {
    const end = await gateway.authorize(space)
    return end.searchParams.get('status') === 'success'
  } catch {
    return false
  }
}

/** The messages in turn, up to the first that is refused. @returns the last answer. */
async function inTurn(messages: (() => Promise<Response>)[]): Promise<{ status: number; text: string }> {
  let last = { status: 0, text: '' }
  for (const send of messages) {
    const answer = await send()
    last = { status: answer.status, text: await answer.text() }
    if (last.status >= 300) break
  }
  return last
}

const clientInfo = { name: 'a person', version: '1' }
const TOOL = { name: 'test-tool', arguments: {} }

function callLegacy(gateway: InProcessGateway, space: string): ReturnType<typeof inTurn> {
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  return inTurn([
    () => gateway.call(space, { id: 1, method: 'initialize', params }, { headers }),
    () => gateway.call(space, { method: 'notifications/initialized' }, { headers }),
    () => gateway.call(space, { id: 2, method: 'tools/list' }, { headers }),
    () => gateway.call(space, { id: 3, method: 'tools/call', params: TOOL }, { headers }),
  ])
}

function callModern(gateway: InProcessGateway, space: string): ReturnType<typeof inTurn> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': clientInfo,
  }
  const send = (id: number, method: string, params: object, named: Record<string, string> = {}) => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...named }
    return gateway.call(space, { id, method, params: { ...params, _meta } }, { headers })
  }
  return inTurn([
    () => send(1, 'tools/list', {}),
    () => send(2, 'tools/call', TOOL, { 'mcp-name': TOOL.name }),
    // Only now does one of the servers move to another authorization server.
    () => send(3, 'tools/list', {}),
  ])
}

describe.each<[Revision]>([['2025-11-25'], ['2026-07-28']])(
  'the connect flow in the conformance suite for %s',
  (revision) => {
    /** Where the suite's client leaves its assignment; a gateway in this process takes it. */
    const desk = createServer((req, res) => {
      const { searchParams } = new URL(req.url ?? '', 'http://desk.test')
      void next(JSON.parse(searchParams.get('assignment') ?? '')).then(
        (isDone) => res.writeHead(isDone ? 200 : 409).end(),
        (error: unknown) => res.writeHead(500).end(String(error)),
      )
    })
    let databaseUrl: string
    const next = async (assignment: unknown) => perform(Assignment.parse(assignment), databaseUrl)

    beforeAll(async () => {
      databaseUrl = (await testDatabase()).url
      await migrate(databaseUrl)
      await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve))
    })
    afterAll(() => {
      desk.closeAllConnections()
      desk.close()
    })

    it('passes every scored scenario that is about authorization', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
      try {
        const { port } = desk.address() as AddressInfo
        const client = join(import.meta.dirname, 'conformance-client.mjs')
        const command = `${process.execPath} ${client} http://127.0.0.1:${port}`
        const options = ['client', '--command', command, '--requirements', revision, '-o', folder, '--timeout', '40000']
        await run(process.execPath, [join(suiteFolder, 'dist/index.js'), ...options], {
          maxBuffer: 64 * 1024 * 1024,
        }).catch((error: { code?: unknown }) => {
          if (typeof error.code !== 'number') throw error
        })
        const troubles = await troublesIn(folder)
        const all = await scored(revision)
        expect(all).toEqual(expect.arrayContaining([...messages[revision]]))
        const expected = all.filter((name) => !messages[revision].includes(name))
        expect(expected.every((name) => name.startsWith('auth/'))).toBe(true)
        expect(expected.filter((name) => troubles[name] === undefined)).toEqual([])
        expect(Object.fromEntries(expected.map((name) => [name, troubles[name]]))).toEqual(
          Object.fromEntries(expected.map((name) => [name, []])),
        )
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  },
)

/** What went wrong in each scenario, warnings included. */
async function troublesIn(folder: string): Promise<Record<string, string[]>> {
  const troubles: Record<string, string[]> = {}
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('checks.json'))
  for (const file of files) {
    const name = file.replace(/-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/, '')
    const checks = z
      .array(z.object({ id: z.string(), status: z.string() }))
      .parse(JSON.parse(await readFile(join(folder, file), 'utf8')))
    const wrong = checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO').map(({ id }) => id)
    troubles[name] = checks.length === 0 ? ['nothing was checked'] : wrong
  }
  return troubles
}

/** The client scenarios that count for a revision, as the suite itself lists them. */
async function scored(revision: Revision): Promise<string[]> {
  const [file = ''] = (await readdir(join(suiteFolder, 'requirements'))).filter((name) => name.startsWith(revision))
  const text = await readFile(join(suiteFolder, 'requirements', file), 'utf8')
  const [, list = ''] = /^client:\n((?: +- .*\n| *#.*\n)*)/m.exec(text) ?? []
  return [...list.matchAll(/^ +- (\S+)/gm)].map(([, name = '']) => name)
}
