/**
 * The clients that people use, each from its log-in on: registering by itself, a user who allows it in a browser, calls, the end of its
 * own tokens and of Notion's, and revocation. What the page "Connect your client" says to copy is what is run.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stream } from 'node:stream'
import { auth, createMCPClient } from '@ai-sdk/mcp'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, describe, expect, it } from 'vitest'
import { recipes, type Endpoint } from '@/features/clients/client-recipes.ts'
import { freePort } from '@/test/support/product.ts'
import { decide, logIn, open, REDIRECT, registerClient } from './client-user.ts'
import { clientsScene } from './clients.ts'
import { documentSite, trusting } from './document-site.ts'

const require = createRequire(import.meta.url)
const site = documentSite()
const on = clientsScene({ ...trusting, CLIENT_TOKEN_SECONDS: '2' })
const clientInfo = { name: 'real-client', version: '1.0.0' }
const search = { name: 'notion-search', arguments: { query: 'launch plan' } }

/** A client that is at work. */
interface AtWork {
  tools(): Promise<string[]>
  /** The text of what a search found. */
  search(): Promise<string>
  /** How often a user was asked to log in. */
  logins(): number
  close(): Promise<unknown>
}

/** Allows in the user's browser what is asked at this address, and answers where the browser is sent then. */
async function allow(authorizeUrl: string): Promise<URL> {
  const page = await open(on().ada, authorizeUrl)
  return decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:write' })
}

/**
 * What a program keeps that embeds a client. The three libraries ask for nearly the same.
 *
 * @param documentUrl of the document that describes it, for one that does not register.
 */
function memory(documentUrl?: string) {
  const kept: Record<string, unknown> = {}
  const state = { logins: 0, asked: undefined as URL | undefined }
  const keep = (name: string) => (value: unknown) => {
    kept[name] = value
  }
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadataUrl: documentUrl,
    clientMetadata: {
      client_name: 'Real client',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept['client'],
    saveClientInformation: keep('client'),
    isClientInformationDynamicallyRegistered: () => true,
    authorizationServerInformation: () => kept['server'],
    saveAuthorizationServerInformation: keep('server'),
    tokens: () => kept['tokens'],
    saveTokens: keep('tokens'),
    saveCodeVerifier: keep('verifier'),
    codeVerifier: () => kept['verifier'],
    saveDiscoveryState: keep('discovery'),
    discoveryState: () => kept['discovery'],
    state: () => 'state-of-the-program',
    saveState: keep('state'),
    storedState: () => kept['state'],
    redirectToAuthorization: (url: URL) => {
      state.logins++
      state.asked = url
    },
    invalidateCredentials: (scope: string) => {
      if (scope === 'tokens' || scope === 'all') delete kept['tokens']
    },
    validateResourceURL: undefined,
  }
  return { provider: provider as never, state, answered: () => allow(state.asked?.href ?? '') }
}

const textOf = (result: unknown) => JSON.stringify(result)

const current =
  (mode: 'legacy' | 'auto') =>
  async (url: string, documentUrl?: string): Promise<AtWork> => {
    const { provider, state, answered } = memory(documentUrl)
    const connect = async (transport: StreamableHTTPClientTransport) => {
      const client = new Client(clientInfo, { versionNegotiation: { mode } })
      await client.connect(transport)
      return client
    }
    const first = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider })
    await expect(connect(first)).rejects.toThrow()
    await first.finishAuth((await answered()).searchParams)
    const client = await connect(new StreamableHTTPClientTransport(new URL(url), { authProvider: provider }))
    return {
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      search: async () => textOf(await client.callTool(search)),
      logins: () => state.logins,
      close: () => client.close(),
    }
  }

async function firstSdk(url: string, documentUrl?: string): Promise<AtWork> {
  const { provider, state, answered } = memory(documentUrl)
  const first = new OldTransport(new URL(url), { authProvider: provider })
  await expect(new OldClient(clientInfo).connect(first as never)).rejects.toThrow()
  await first.finishAuth((await answered()).searchParams.get('code') ?? '')
  const client = new OldClient(clientInfo)
  await client.connect(new OldTransport(new URL(url), { authProvider: provider }) as never)
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    search: async () => textOf(await client.callTool(search)),
    logins: () => state.logins,
    close: () => client.close(),
  }
}

async function aiSdk(url: string): Promise<AtWork> {
  const { provider, state, answered } = memory()
  const connect = () =>
    createMCPClient({
      transport: { type: 'http', url, authProvider: provider, fetch },
      maxRetries: 0,
      onUncaughtError: () => {},
    })
  await expect(connect()).rejects.toThrow()
  const { searchParams } = await answered()
  await auth(provider, {
    serverUrl: url,
    authorizationCode: searchParams.get('code') ?? '',
    callbackState: searchParams.get('state') ?? '',
    callbackIssuer: searchParams.get('iss') ?? '',
    fetchFn: fetch,
  })
  const client = await connect()
  return {
    tools: async () => Object.keys(await client.tools()),
    search: async () => textOf(await client.callTool({ name: search.name, arguments: search.arguments })),
    logins: () => state.logins,
    close: () => client.close(),
  }
}

/** Homes of programs that keep what they know in files. */
const homes: string[] = []
function home(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-client-'))
  homes.push(folder)
  return folder
}
afterAll(() => homes.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

const environment = (folder: string) => ({
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  // Programs open it with an address; the user of these tests reads the address instead.
  BROWSER: 'true',
  // The inspector logs in at a terminal only, unless it is told so, and keeps tokens in the system's keyring, which there is none of here.
  MCP_AUTO_OPEN_ENABLED: 'true',
  MCP_INSPECTOR_SECRET_STORE: 'file',
})

/** Allows whatever a program's output asks to be opened, as a user would who clicks on it. */
function allowing(output: Stream | null): () => number {
  let text = ''
  let logins = 0
  output?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    const [asked] = /http:\/\/\S+\/oauth2\/authorize\?\S+(?=\s)/.exec(text) ?? []
    if (!asked) return
    text = ''
    logins++
    // The browser goes back to the program itself.
    void allow(asked)
      .then((back) => fetch(back))
      // A program that has ended meanwhile hears no answer.
      .catch(() => undefined)
  })
  return () => logins
}

const packages: Record<string, string> = {
  'mcp-remote': require.resolve('mcp-remote/package.json'),
  '@modelcontextprotocol/inspector': require.resolve('@modelcontextprotocol/inspector/package.json'),
}

/** `npx package …`, or its parts in a configuration, as it runs when the package is there. */
function installed(command: readonly string[]): readonly string[] {
  const [npx, name = '', ...args] = command.filter((part) => part !== '-y')
  const description = packages[name.replace(/@latest$/, '')]
  if (npx !== 'npx' || !description) throw new Error(`not a program that is here: ${command.join(' ')}`)
  const { bin } = require(description) as { bin: Record<string, string> }
  return [join(description, '..', Object.values(bin)[0] ?? ''), ...args]
}

const recipe = (id: string, way: 'login' | 'key', endpoint: Partial<Endpoint> = {}) => {
  const steps = recipes
    .find((one) => one.id === id)
    ?.[way]({ url: on().resource(), name: 'notion-test', key: 'nmg_YOUR_KEY', ...endpoint })
  return steps?.find(({ code }) => code)?.code ?? ''
}

interface Configuration {
  readonly mcpServers: Record<string, { command: string; args: string[]; env?: Record<string, string> }>
}

async function throughMcpRemote(configuration: string, ...changes: string[]): Promise<AtWork> {
  const { command, args, env } = (JSON.parse(configuration) as Configuration).mcpServers['notion-test'] ?? {
    command: '',
    args: [],
  }
  // The program replaces ${…} in its arguments from its environment.
  const [file = '', ...rest] = installed([command, ...args])
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [file, ...rest, ...changes],
    env: { ...environment(home()), ...env },
    stderr: 'pipe',
  })
  const logins = allowing(transport.stderr)
  const client = new Client(clientInfo)
  await client.connect(transport)
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    search: async () => textOf(await client.callTool(search)),
    logins,
    close: () => client.close(),
  }
}

async function inspector(command: string): Promise<AtWork> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...environment(home()),
    MCP_OAUTH_CALLBACK_URL: `http://127.0.0.1:${await freePort()}/oauth/callback`,
  }
  let logins = () => 0
  const run = async (...changes: string[]): Promise<string> => {
    const [file = '', ...args] = installed(command.match(/"[^"]*"|\S+/g)?.map((part) => part.replaceAll('"', '')) ?? [])
    const child: ChildProcess = spawn(process.execPath, [file, ...args, ...changes], { env })
    const before = logins()
    const asked = allowing(child.stderr)
    logins = () => before + asked()
    let [out, err] = ['', '']
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`exit ${String(code)}: ${err}`)
    return out
  }
  await run()
  return {
    tools: async () => [...(await run()).matchAll(/"name": "([\w-]+)"/g)].map(([, name = '']) => name),
    search: () => run('--method', 'tools/call', '--tool-name', search.name, '--tool-arg', 'query=launch plan'),
    logins: () => logins(),
    close: async () => {},
  }
}

const clients: [string, () => Promise<AtWork>][] = [
  ['the SDK in its older way', () => current('legacy')(on().resource())],
  ['the SDK in its newer way', () => current('auto')(on().resource())],
  ['the first SDK', () => firstSdk(on().resource())],
  ['the AI SDK', () => aiSdk(on().resource())],
  ['mcp-remote, as in Claude Desktop', () => throughMcpRemote(recipe('claude-desktop', 'login'))],
  ['the inspector on the command line', () => inspector(recipe('inspector', 'login'))],
]
const withDocument: typeof clients = [
  ['the SDK, with a document', () => current('auto')(on().resource(), site().publish())],
  ['the first SDK, with a document', () => firstSdk(on().resource(), site().publish())],
  [
    'mcp-remote, with a document',
    () => {
      // Its port is another one each time, so none is named.
      const document = site().publish({ redirect_uris: ['http://localhost/oauth/callback'] })
      return throughMcpRemote(recipe('claude-desktop', 'login'), '--client-metadata-url', document)
    },
  ],
]
const atWork = new Map<string, AtWork>()
const of = (name: string) => {
  const client = atWork.get(name)
  if (!client) throw new Error(`${name} did not log in`)
  return client
}
const names = [...clients, ...withDocument].map(([name]) => [name])

describe('a client that logs in', () => {
  afterAll(() => Promise.all([...atWork.values()].map((client) => client.close())))

  const registered = async () => {
    const { rows } = await on().database.query<{ count: number }>(
      `select count(*)::int from web.oauth_client where client_id not like 'https:%'`,
    )
    return rows[0]?.count ?? 0
  }
  const goesToWork = async (name: string, start: () => Promise<AtWork>) => {
    const client = await start()
    atWork.set(name, client)
    expect(await client.tools()).toContain('notion-create-pages')
    expect(await client.search()).toContain('Launch plan')
    expect(client.logins()).toBe(1)
  }

  it.each(clients)('registers, is allowed, lists and calls: %s', goesToWork)

  it.each(withDocument)('does not register, is allowed, lists and calls: %s', async (name, start) => {
    const before = await registered()
    await goesToWork(name, start)
    expect(site().visits).toHaveLength(1)
    expect(await registered()).toBe(before)
  })

  describe('when its token and Notion’s have both expired', () => {
    it('that is: the gateway refuses the one, and Notion the other', { timeout: 120_000 }, async () => {
      const { access_token } = await logIn(on().ada, await registerClient(on().webUrl), on().resource())
      // Two seconds of its own, and the minute that the clocks of issuer and gateway may differ by.
      await expect.poll(async () => (await on().listTools(access_token)).status, { timeout: 90_000 }).toBe(401)
      expect(on().product.simulator.admin.expireAccessTokens()).toBeGreaterThan(0)
    })

    it.each(names)('goes on without a login: %s', async (name) => {
      expect(await of(name).search()).toContain('Launch plan')
      expect(await of(name).tools()).toContain('notion-search')
      expect(of(name).logins()).toBe(1)
    })
  })

  describe('when the user has taken back what they allowed', () => {
    it('that is: on their page, one after the other', async () => {
      const { rows } = await on().database.query<{ id: string }>('select id from web.oauth_grant')
      expect(rows.length).toBeGreaterThanOrEqual(names.length)
      for (const { id } of rows) {
        expect((await on().ada.fetch(`/api/account/clients/${id}`, { method: 'DELETE' })).status).toBe(204)
      }
    })

    it.each(names)('asks to log in again: %s', async (name) => {
      void of(name)
        .search()
        .catch(() => undefined)
      await expect.poll(() => of(name).logins(), { timeout: 20_000 }).toBe(2)
    })
  })
})

describe('a client with a key', () => {
  const newKey = async () => {
    const made = await on().ada.post(`/api/spaces/${on().ada.spaceId}/keys`, {
      name: 'A key',
      scope: 'notion:read',
      days: 30,
    })
    return (await made.json()) as { id: string; key: string }
  }

  it.each([
    ['the inspector on the command line', (key: string) => inspector(recipe('inspector', 'key', { key }))],
    ['mcp-remote, as in Claude Desktop', (key: string) => throughMcpRemote(recipe('claude-desktop', 'key', { key }))],
    ['mcp-remote, as in Cursor', (key: string) => throughMcpRemote(recipe('cursor', 'key', { key }))],
  ])('lists what it may call, and calls, without a login: %s', async (_, start) => {
    const { id, key } = await newKey()
    const client = await start(key)
    const tools = await client.tools()
    expect(tools).toContain('notion-search')
    expect(tools).not.toContain('notion-create-pages')
    expect(await client.search()).toContain('Launch plan')
    await on().ada.fetch(`/api/spaces/${on().ada.spaceId}/keys/${id}`, { method: 'DELETE' })
    expect(client.logins()).toBe(0)
    await client.close()
  })
})

describe('the lines for one’s own code, as a program', () => {
  /** What the lines leave to whoever copies them: an `OAuthClientProvider`, and what came to its address. */
  const provider = `
    import { createInterface } from 'node:readline/promises'
    const kept = {}
    const authProvider = {
      redirectUrl: '${REDIRECT}',
      clientMetadata: { client_name: 'My program', redirect_uris: ['${REDIRECT}'], token_endpoint_auth_method: 'none' },
      clientInformation: () => kept.client, saveClientInformation: (client) => void (kept.client = client),
      tokens: () => kept.tokens, saveTokens: (tokens) => void (kept.tokens = tokens),
      codeVerifier: () => kept.verifier, saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
      discoveryState: () => kept.discovery, saveDiscoveryState: (discovery) => void (kept.discovery = discovery),
      async redirectToAuthorization(url) {
        const lines = createInterface({ input: process.stdin, output: process.stdout })
        globalThis.queryOfTheRedirect = await lines.question(url + '\\n')
        lines.close()
      },
    }
`
  const run = async (code: string, env: Record<string, string> = {}): Promise<string> => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: import.meta.dirname,
      env: { ...process.env, ...environment(home()), ...env },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const [asked] = /http:\/\/\S+\/oauth2\/authorize\?\S+(?=\s)/.exec(out) ?? []
      if (asked === undefined) return
      out = ''
      void allow(asked).then((back) => child.stdin.write(`${back.search.slice(1)}\n`))
    })
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    const exit = await new Promise((resolve) => child.on('close', resolve))
    expect([exit, err]).toEqual([0, ''])
    return out
  }
  const lines = (way: 'login' | 'key') =>
    (recipes.find(({ id }) => id === 'sdk')?.[way]({ url: on().resource(), name: '', key: '' }) ?? [])
      .flatMap(({ code }) => (code?.startsWith('import') ? code : []))
      .join('')

  it('log in and list the tools', async () => {
    expect(await run(provider + lines('login'))).toContain("'notion-create-pages'")
  })

  it('list the tools with a key', async () => {
    const asked = { name: 'A key', scope: 'notion:read', days: 30 }
    const made = await on().ada.post(`/api/spaces/${on().ada.spaceId}/keys`, asked)
    const { key } = (await made.json()) as { key: string }
    expect(await run(lines('key'), { NOTION_GATEWAY_KEY: key })).toContain("'notion-search'")
  })
})

describe('what the page says to copy', () => {
  it.each(recipes.flatMap(({ id }) => [[id, 'login'] as const, [id, 'key'] as const]))(
    'names the address, and is JSON where it looks like it: %s by %s',
    (id, way) => {
      const steps = recipes
        .find((one) => one.id === id)
        ?.[way]({ url: on().resource(), name: 'notion-test', key: 'nmg_k' })
      const codes = steps?.flatMap(({ code }) => code ?? []) ?? []
      expect(codes.join('\n')).toContain(on().resource())
      for (const code of codes.filter((one) => one.startsWith('{')))
        expect(() => JSON.parse(code) as unknown).not.toThrow()
    },
  )
})
