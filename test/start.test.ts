import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '@nmg/process/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { freshClone } from './clone.ts'
import { missingImports, sourcesOf } from './imports.ts'
import { npm, npmInBackground, processesIn, untilNothingRunsIn, type Command } from './command.ts'

/** A first start installs and builds everything. */
const FIRST_START_MS = 600_000

const UP = 'Ctrl-C'

const { folder, remove } = freshClone()
let ports: { PORT: string; WEB_PORT: string; DEMO_SIMULATOR_PORT: string }

beforeAll(async () => {
  const [gateway, web, simulator] = [await freePort(), await freePort(), await freePort()]
  ports = { PORT: `${gateway}`, WEB_PORT: `${web}`, DEMO_SIMULATOR_PORT: `${simulator}` }
})
beforeEach(() => onTestFinished(() => killWhatIsLeft(folder)))
afterAll(remove)

function killWhatIsLeft(where: string): void {
  for (const { pid } of processesIn(where)) spawnSync('kill', ['-9', `${pid}`])
}

const get = (port: string, path: string) => fetch(`http://localhost:${port}${path}`)

async function up(args: readonly string[] = ['start'], settings: Record<string, string> = {}): Promise<Command> {
  const command = npm(folder, args, { ...ports, ...settings })
  await command.says(UP)
  return command
}

function pidOf(part: string): number {
  const found = processesIn(folder).find(({ command }) => command.includes(part))
  if (!found) throw new Error(`nothing runs ${part}`)
  return found.pid
}

it.each(['gateway', 'web'])('npm run %s refuses to start in a fresh clone and prepares nothing', async (name) => {
  const command = npm(folder, ['run', name], ports)
  expect(await command.ended).toBe(1)
  expect(command.stderr()).toMatch(/^[^\n]+\. Run npm run build[^\n]*\.\n$/)
  expect(existsSync(join(folder, 'node_modules'))).toBe(false)
})

describe('npm start', () => {
  it('leaves no process and no lock behind when it is killed during the installation', async () => {
    const command = npm(folder, ['start'], ports)
    await command.says('Installing')
    await setTimeout(2_000)
    process.kill(command.pid, 'SIGKILL')
    await untilNothingRunsIn(folder)
  })

  it('installs, builds and serves the first page in a fresh clone', { timeout: FIRST_START_MS }, async () => {
    const command = await up()
    expect(command.stdout()).toContain(`http://localhost:${ports.WEB_PORT}`)

    const page = await get(ports.WEB_PORT, '/')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
    expect((await get(ports.PORT, '/readyz')).status).toBe(200)

    process.kill(command.pid, 'SIGTERM')
    await untilNothingRunsIn(folder)
  })

  it('installs and builds nothing the second time', async ({ annotate }) => {
    const since = Date.now()
    const command = await up()
    await annotate(`The second start took ${Date.now() - since} ms.`)
    expect(command.stderr()).not.toMatch(/Installing|Building/)
    // Like Ctrl-C in a terminal: to all foreground processes, and npm forwards it once more.
    process.kill(-command.pid, 'SIGINT')
    await untilNothingRunsIn(folder)
  })

  it('restarts processes that end, and keeps its database', async () => {
    await up()
    process.kill(pidOf('apps/gateway/src/main.ts'), 'SIGKILL')
    await expect
      .poll(
        () =>
          get(ports.PORT, '/readyz').then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBe(200)
  })

  it('keeps the last build usable when the sources cannot be built', { timeout: FIRST_START_MS }, async () => {
    const page = join(folder, 'apps/web/app/page.tsx')
    const good = readFileSync(page, 'utf8')
    const running = await up()
    appendFileSync(page, '\nexport const broken: number = "no number"\n')
    const failing = npm(folder, ['start'], ports)
    expect(await failing.ended).toBe(1)
    expect(failing.stderr()).toContain('The web app could not be built')
    // A page that this process has not loaded yet.
    expect((await get(ports.WEB_PORT, '/forgot-password')).status).toBe(200)
    process.kill(running.pid, 'SIGTERM')
    await untilNothingRunsIn(folder)

    writeFileSync(page, good)
    const command = await up()
    expect(command.stderr()).not.toContain('Building')
    expect((await get(ports.WEB_PORT, '/')).status).toBe(200)
  })
})

describe('no process remains', () => {
  it.each([
    ['npm', 'SIGKILL'],
    ['npm', 'SIGTERM'],
    ['scripts/run.mjs', 'SIGKILL'],
    ['scripts/start.ts', 'SIGKILL'],
    ['scripts/start.ts', 'SIGTERM'],
  ] as const)('when %s gets a %s', async (part, signal) => {
    const { pid } = await up()
    const target = part === 'npm' ? pid : part === 'scripts/run.mjs' ? runnerOf(pid) : pidOf(part)
    process.kill(target, signal)
    await untilNothingRunsIn(folder)
  })
})

/** The process of run.mjs below this npm; there may be a shell in between. */
function runnerOf(npmPid: number): number {
  const { stdout } = spawnSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' })
  const rows = stdout.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
  const childrenOf = (parent: number): { pid: number; command: string }[] =>
    rows.flatMap((row) => (Number(row?.[2]) === parent ? [{ pid: Number(row?.[1]), command: row?.[3] ?? '' }] : []))
  const below = childrenOf(npmPid).flatMap((child) => [child, ...childrenOf(child.pid)])
  const runner = below.find(({ command }) => command.startsWith('node scripts/run.mjs'))
  if (!runner) throw new Error('run.mjs does not run')
  return runner.pid
}

it('npm run gateway in the background survives the shell that started it', async () => {
  const { endShell } = npmInBackground(folder, ['run', 'gateway'], ports)
  const ready = () =>
    get(ports.PORT, '/readyz').then(
      ({ status }) => status,
      () => 0,
    )
  await expect.poll(ready, { timeout: 20_000 }).toBe(200)
  await endShell()
  // Longer than it takes to detect that a parent has ended.
  for (let n = 0; n < 4; n++) {
    await setTimeout(500)
    expect(await ready()).toBe(200)
  }
  process.kill(pidOf('scripts/run.mjs'), 'SIGTERM')
  await untilNothingRunsIn(folder)
})

describe('npm run build', () => {
  // Outside of the clone, because Node would find its node_modules as well.
  const release = join(mkdtempSync(join(tmpdir(), 'nmg-release-')), 'release')
  const build = (...options: string[]) => npm(folder, ['run', 'build', '--', ...options])

  afterAll(() => rmSync(dirname(release), { recursive: true }))

  it('copies everything that the release imports, and no tests or development files', async () => {
    const command = build('--out', release)
    expect(await command.ended, command.stderr()).toBe(0)
    expect(command.stdout()).toContain(`${release}: release `)
    const { devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    const known = Object.keys(devDependencies).filter((name) => existsSync(join(release, 'node_modules', name)))
    // The product itself uses these.
    expect(known).toEqual(['zod'])
    expect(existsSync(join(release, 'node_modules/notion-simulator'))).toBe(false)
    expect(missingImports(release)).toEqual([])
    expect(sourcesOf(release).filter((path) => /\.test\.ts$|\/(test|testing)\//.test(path))).toEqual([])
  })

  it('builds a release that starts without set-up, keeps its data beside it, and is not replaced while it runs', async () => {
    onTestFinished(() => killWhatIsLeft(release))
    const command = npm(release, ['start'], { ...ports, npm_config_registry: 'http://127.0.0.1:1' })
    await command.says(UP)
    expect(command.stderr()).not.toMatch(/Installing|Building/)
    expect((await get(ports.PORT, '/readyz')).status).toBe(200)
    const page = await (await get(ports.WEB_PORT, '/sign-in')).text()
    const [, script = ''] = /src="(\/_next\/static\/[^"]+)"/.exec(page) ?? []
    expect((await get(ports.WEB_PORT, script)).status).toBe(200)
    expect(existsSync(join(release, '.data'))).toBe(false)
    expect(existsSync(join(dirname(release), '.data'))).toBe(true)

    const refused = build('--out', release)
    expect(await refused.ended).toBe(1)
    expect(refused.stderr()).toMatch(/^build: .*release is in use by process \d+ \(.*\)\. Build into another folder/)
    expect((await get(ports.WEB_PORT, '/sign-up')).status).toBe(200)
    process.kill(command.pid, 'SIGTERM')
    await untilNothingRunsIn(release)
  })

  it('refuses to replace a folder that is not a release', async () => {
    const command = build('--out', 'docs')
    expect(await command.ended).toBe(1)
    expect(command.stderr()).toMatch(/^build: .*docs exists and is not a release\./)
  })

  it('refuses to replace a release to which the operator has added files', async () => {
    const standard = join(folder, 'release')
    mkdirSync(standard)
    writeFileSync(join(standard, 'release.json'), '{"contents":["release.json"]}')
    writeFileSync(join(standard, '.env'), '')
    const command = build()
    expect(await command.ended).toBe(1)
    expect(command.stderr()).toMatch(/^build: .*release contains \.env, which is not part of its release\./)
    rmSync(standard, { recursive: true })
  })

  it('omits commands that need a checkout', async () => {
    const runner = spawnSync('node', [join(release, 'scripts/run.mjs'), 'demo'], { encoding: 'utf8' })
    expect([runner.status, runner.stderr]).toEqual([1, '"demo" is not part of a release. Run it in a checkout.\n'])
  })
})

describe('npm run demo', () => {
  it('reports that it is a simulation, and serves everything', async () => {
    const command = await up(['run', 'demo'])
    expect(command.stdout()).toMatch(/SIMULATED/)
    expect(command.stdout()).toContain('ada@demo.test')
    expect((await get(ports.WEB_PORT, '/sign-in')).status).toBe(200)
    expect((await get(ports.PORT, '/readyz')).status).toBe(200)
    expect((await get(ports.DEMO_SIMULATOR_PORT, '/.well-known/oauth-protected-resource/mcp')).status).toBe(200)
    process.kill(command.pid, 'SIGTERM')
    await untilNothingRunsIn(folder)
  })

  it('does not change a real installation', async () => {
    rmSync(join(folder, '.data'), { recursive: true, force: true })
    writeFileSync(join(folder, '.env'), 'DATABASE_URL=postgresql://real@192.0.2.1/real\nNOTION_MCP_CLIENT_ID=real\n')
    onTestFinished(() => rmSync(join(folder, '.env')))
    await up(['run', 'demo'])
    expect(existsSync(join(folder, '.data/demo/postgres'))).toBe(true)
    expect(existsSync(join(folder, '.data/postgres'))).toBe(false)
  })
})

describe('npm run dev', () => {
  // Seconds on an idle machine; compiling a page takes minutes on a busy one.
  const SLOW = { timeout: FIRST_START_MS }
  const WAIT = { timeout: 60_000 }

  it('shows changes of a page and of the gateway, and waits for the next change after a crash', SLOW, async () => {
    const settings = {
      DEV_GATEWAY_PORT: ports.PORT,
      DEV_WEB_PORT: ports.WEB_PORT,
      DEV_SIMULATOR_PORT: ports.DEMO_SIMULATOR_PORT,
      FORCE_COLOR: '0',
    }
    const command = npm(folder, ['run', 'dev'], settings)
    await command.says(UP)
    const signIn = async () => (await get(ports.WEB_PORT, '/sign-in')).text()
    expect(await signIn()).toContain('Welcome back')

    change('apps/web/features/accounts/texts.ts', (text) => text.replace('Welcome back', 'Hello again'))
    await expect.poll(signIn, WAIT).toContain('Hello again')

    const main = 'apps/gateway/src/main.ts'
    change(main, (text) => `${text}\nthrow new Error('broken on purpose')\n`)
    await command.says('gateway   │ ended (exit code 1); waiting for the next change')
    expect(command.stdout()).toContain('gateway   │ Error: broken on purpose')
    expect((await get(ports.WEB_PORT, '/sign-in')).status).toBe(200)

    change(main, (text) =>
      text.replace("throw new Error('broken on purpose')", "process.stdout.write('is repaired\\n')"),
    )
    await command.says('gateway   │ is repaired')
    await expect.poll(() => get(ports.PORT, '/readyz').then((response) => response.status), WAIT).toBe(200)

    // Separate from the build and the data of an installation.
    expect(['apps/web/.next-dev', '.data/dev/postgres'].filter((path) => !existsSync(join(folder, path)))).toEqual([])
    expect(existsSync(join(folder, 'apps/web/.next/dev'))).toBe(false)
    process.kill(-command.pid, 'SIGINT')
    await untilNothingRunsIn(folder)
  })

  /** Changes a file of the copy until the test ends. */
  function change(path: string, edit: (text: string) => string): void {
    const file = join(folder, path)
    const text = readFileSync(file, 'utf8')
    onTestFinished(() => writeFileSync(file, text))
    writeFileSync(file, edit(text))
  }
})

describe('the start fails with one sentence on', () => {
  async function refusal(args: readonly string[], settings: Record<string, string>): Promise<string> {
    const command = npm(folder, args, { ...ports, ...settings })
    expect(await command.ended).not.toBe(0)
    expect(await untilNothingRunsIn(folder)).toBeLessThan(10_000)
    return command.stderr()
  }

  async function takenPort(): Promise<string> {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    onTestFinished(() => void holder.close())
    return `${(holder.address() as AddressInfo).port}`
  }

  it.each(['PORT', 'WEB_PORT'])('a taken %s', async (name) => {
    const port = await takenPort()
    expect(await refusal(['start'], { [name]: port })).toBe(
      `start: Port ${port} on 127.0.0.1 is taken. Stop the other program or set ${name} to a free one.\n`,
    )
  })

  it('a taken port of the gateway alone', async () => {
    const port = await takenPort()
    expect(await refusal(['run', 'gateway'], { PORT: port })).toBe(
      `gateway: Port ${port} on 127.0.0.1 is taken. Stop the other program or set PORT to a free one.\n`,
    )
  })

  it('an unreachable database', async () => {
    const port = `${await freePort()}`
    const settings = { DATABASE_URL: `postgresql://me:pa55word@127.0.0.1:${port}/db` }
    expect(await refusal(['start'], settings)).toBe(
      `start: The database at 127.0.0.1:${port} does not answer (ECONNREFUSED). Start it, or change DATABASE_URL.\n`,
    )
  })

  it('an unwritable data directory', async () => {
    expect(await refusal(['start'], { DATA_DIR: 'package.json/below' })).toBe(
      `start: The data directory ${folder}/package.json/below cannot be written (ENOTDIR). Set DATA_DIR to one that can.\n`,
    )
  })

  it('an invalid port', async () => {
    expect(await refusal(['start'], { PORT: '80a' })).toBe('start: PORT is not a number.\n')
  })

  it('an invalid setting of the gateway', async () => {
    expect(await refusal(['start'], { WORKERS: 'many' })).toMatch(/^gateway: WORKERS[^\n]*\.\n$/)
  })
})

it('standard output contains only the output of the command', async () => {
  const known = {
    NOTION_MCP_CLIENT_ID: 'known',
    NOTION_MCP_CLIENT_SECRET: 'secret',
    NOTION_MCP_TOKEN_AUTH_METHOD: 'client_secret_basic',
  }
  // Without the stamp, the set-up reports its progress on standard error.
  rmSync(join(folder, 'node_modules/.installed-lock'))
  const command = npm(folder, ['run', '--silent', 'export-notion-mcp-credentials'], known)
  expect(await command.ended).toBe(0)
  expect(command.stdout()).toBe(
    Object.entries(known)
      .map(([name, value]) => `export ${name}=${value}\n`)
      .join(''),
  )
})
