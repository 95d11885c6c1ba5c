/**
 * The agents themselves, as people install them: each is told of the gateway by the very lines that the page "Connect your client" says to
 * copy, logs in with a browser, finds something in Notion, goes on after its token and Notion's have ended, and is revoked. Only the model is ours.
 *
 * `npm run test:agents` installs them and runs this; they are too large, and change too often, for the tests of every change.
 */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recipes } from '@/features/clients/client-recipes.ts'
import { decide, logIn, open, registerClient } from '@/test/clients/client-user.ts'
import { clientsScene, type ClientsScene } from '@/test/clients/clients.ts'
import { documentSite, trusting } from '@/test/clients/document-site.ts'
import { startScriptedModel, type ScriptedModel } from './scripted-model.ts'

const BIN = process.env['AGENTS_BIN'] ?? ''
const site = documentSite()
/** Where agents register: their makers' documents are on the Internet, which tests do without. */
const registering = clientsScene({ CLIENT_TOKEN_SECONDS: '2', CLIENT_METADATA_DOCUMENTS: 'false' })
/** Where they need not. */
const described = clientsScene({ ...trusting, CLIENT_TOKEN_SECONDS: '2' })
const name = 'notion-test'
let model: ScriptedModel | undefined
const modelUrl = () => model?.url ?? ''
beforeAll(async () => {
  model = await startScriptedModel()
})
afterAll(() => model?.close())

const pause = (ms: number) => sleep(ms, false)

interface Agent {
  readonly id: string
  readonly on: () => ClientsScene
  /** What it needs to know apart from the gateway: where its model is, above all. */
  prepare?(home: string): void
  readonly environment: () => Record<string, string>
  /** What to type at a terminal, for one that the page has no recipe for: to add the server, and to log in. */
  readonly lines?: (url: string) => readonly string[]
  /** As it is started at a terminal to log in; what is typed there follows. */
  logIn(command: string): { readonly command: string; readonly typed?: string }
  readonly ask: () => string
}

const claudeCode = {
  id: 'claude-code',
  environment: () => ({
    ANTHROPIC_BASE_URL: modelUrl(),
    ANTHROPIC_API_KEY: 'none',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    // It would offer its model the tools only once that has searched for them, or before the server has answered.
    ENABLE_TOOL_SEARCH: 'false',
    MCP_CONNECTION_NONBLOCKING: 'false',
  }),
  logIn: (command: string) => ({ command: `script -qec "${command}" /dev/null` }),
  ask: () => `claude -p "find the launch plan" --allowedTools mcp__${name}__notion-search`,
}
let document: string | undefined

const agents: Agent[] = [
  { ...claudeCode, on: registering },
  {
    ...claudeCode,
    on: described,
    environment: () => {
      document ??= site().publish({ redirect_uris: ['http://localhost/callback'] })
      return { ...claudeCode.environment(), MCP_OAUTH_CLIENT_METADATA_URL: document }
    },
  },
  {
    id: 'codex',
    on: registering,
    environment: () => ({}),
    logIn: (command) => ({ command }),
    ask: () =>
      [
        'codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox -c model=any -c model_provider=ours',
        `-c 'model_providers.ours={name="ours",base_url="${modelUrl()}/v1",wire_api="responses"}' "find the launch plan"`,
      ].join(' '),
  },
  {
    id: 'gemini-cli',
    on: registering,
    prepare(home) {
      mkdirSync(join(home, '.gemini'))
      const settings = { security: { auth: { selectedType: 'gemini-api-key' } } }
      writeFileSync(join(home, '.gemini/settings.json'), JSON.stringify(settings))
    },
    environment: () => ({
      GOOGLE_GEMINI_BASE_URL: modelUrl(),
      GEMINI_API_KEY: 'none',
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
    }),
    // Said as its first message: it has no command for that.
    logIn: (command) => ({ command: `gemini -p "${command}"`, typed: 'Y\n' }),
    ask: () => 'gemini -m gemini-2.5-flash --approval-mode yolo -p "find the launch plan"',
  },
  {
    id: 'opencode',
    on: registering,
    prepare(home) {
      const provider = {
        npm: '@ai-sdk/anthropic',
        options: { baseURL: `${modelUrl()}/v1`, apiKey: 'none' },
        models: { any: {} },
      }
      mkdirSync(join(home, '.config/opencode'), { recursive: true })
      writeFileSync(join(home, '.config/opencode/opencode.json'), JSON.stringify({ provider: { ours: provider } }))
    },
    environment: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1' }),
    lines: (url) => [`opencode mcp add ${name} --url ${url}`, `opencode mcp auth ${name}`],
    logIn: (command) => ({ command }),
    ask: () => 'opencode run -m ours/any --auto "find the launch plan"',
  },
]

/** The lines to copy, in their order. */
const lines = ({ id, on, lines: own }: Agent): readonly string[] =>
  own?.(on().resource()) ??
  (recipes.find((one) => one.id === id)?.login({ url: on().resource(), name, key: '' }) ?? []).flatMap(({ code }) =>
    code === undefined ? [] : [code],
  )

const title = ({ id, on }: Agent) => (on === described ? `${id}, with a document` : id)

describe.each(agents.map((agent) => [title(agent), agent] as const))('%s', (_, agent) => {
  const { on } = agent
  const home = mkdtempSync(join(tmpdir(), 'nmg-agent-'))
  const opened = join(home, 'opened')
  beforeAll(() => {
    agent.prepare?.(home)
    mkdirSync(join(home, 'bin'))
    mkdirSync(join(home, 'project'))
    // The browser: it writes down where it was sent.
    for (const browser of ['xdg-open', 'open']) {
      const file = join(home, 'bin', browser)
      writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$1" >> "${opened}"\n`)
      chmodSync(file, 0o755)
    }
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  const run = async (command: string, typed?: string): Promise<string> => {
    const child = spawn('sh', ['-c', command], {
      cwd: join(home, 'project'),
      env: {
        NODE_ENV: 'production',
        PATH: [join(home, 'bin'), BIN, process.env['PATH']].join(delimiter),
        HOME: home,
        DISPLAY: ':0',
        TERM: 'xterm-256color',
        BROWSER: join(home, 'bin/xdg-open'),
        ...agent.environment(),
      },
      timeout: 60_000,
    })
    let output = ''
    let isAnswered = false
    const hear = (chunk: Buffer) => {
      output += chunk.toString()
      // What asks does not hear what was typed before.
      if (typed === undefined || isAnswered || !output.includes('[Y/n]')) return
      isAnswered = true
      child.stdin.write(typed)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    if (typed === undefined) child.stdin.end()
    const ended = new Promise((resolve) => child.on('close', resolve))
    // The user at the browser allows what it is sent to.
    while (!(await Promise.race([ended.then(() => true), pause(100)]))) {
      if (visits().length > allowed) await allow(visits()[allowed++] ?? '')
    }
    return output
  }
  let allowed = 0
  const allow = async (url: string) => {
    const page = await open(on().ada, url)
    await fetch(await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:write' }))
  }
  const visits = () => (existsSync(opened) ? readFileSync(opened, 'utf8').trim().split('\n') : [])
  const search = async (): Promise<string> => {
    model?.reset()
    const said = await run(agent.ask())
    return model?.found() ?? `nothing: ${said}`
  }

  it('is told of the gateway and logs in by what the page says', { timeout: 120_000 }, async () => {
    const [add = '', login = ''] = lines(agent)
    let said = await run(add)
    // Some log in as soon as they are told.
    if (visits().length === 0) {
      const { command, typed } = agent.logIn(login)
      said = await run(command, typed)
    }
    expect(said).toMatch(/authenticated|logged in|authentication successful/i)
    expect(visits()).toHaveLength(1)
    expect(site().visits).toHaveLength(on === described ? 1 : 0)
  })

  it('finds something in Notion', { timeout: 90_000 }, async () => {
    expect(await search()).toContain('Launch plan')
    expect(model?.offered().length).toBeGreaterThan(20)
  })

  it('goes on without a login when its token and Notion’s have both expired', { timeout: 120_000 }, async () => {
    const { access_token } = await logIn(on().ada, await registerClient(on().webUrl), on().resource())
    // Two seconds of its own, and the minute that the clocks of issuer and gateway may differ by.
    await expect.poll(async () => (await on().listTools(access_token)).status, { timeout: 90_000 }).toBe(401)
    expect(on().product.simulator.admin.expireAccessTokens()).toBeGreaterThan(0)
    expect(await search()).toContain('Launch plan')
    expect(visits()).toHaveLength(1)
  })

  it('finds nothing any more when the person has taken it back', { timeout: 120_000 }, async () => {
    const { rows } = await on().database.query<{ id: string }>('select id from web.oauth_grant')
    for (const { id: consent } of rows) {
      expect((await on().ada.fetch(`/api/account/clients/${consent}`, { method: 'DELETE' })).status).toBe(204)
    }
    expect(await search()).toMatch(/^nothing: /)
    expect(model?.offered()).toEqual([])
  })
})
