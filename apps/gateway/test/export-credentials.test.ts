import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway } from './support/gateway.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ options: { autoApprove: true } })
})
afterAll(() => simulator.close())

const command = join(import.meta.dirname, '../src/commands/export-credentials.ts')
const NAMES = ['NOTION_MCP_CLIENT_ID', 'NOTION_MCP_CLIENT_SECRET', 'NOTION_MCP_TOKEN_AUTH_METHOD'] as const

/** Evaluates the output of the command as an operator's shell does. @returns the variables. */
async function evaluated(env: Record<string, string>, ...args: string[]): Promise<Record<string, string>> {
  const script = `eval "$('${process.execPath}' '${command}' ${args.join(' ')})"; printf '%s\\n' ${NAMES.map((name) => `"$${name}"`).join(' ')}`
  const { stdout } = await promisify(execFile)('sh', ['-c', script], {
    env: { PATH: process.env['PATH'], NOTION_MCP_SERVER_URL: simulator.mcpUrl, ...env },
  })
  const values = stdout.split('\n')
  return Object.fromEntries(NAMES.map((name, at) => [name, values[at] ?? '']))
}

describe('the command that exports client credentials', () => {
  it('registers a client whose exported credentials a gateway can use', async () => {
    const env = await evaluated({})
    expect(env).toMatchObject({ NOTION_MCP_TOKEN_AUTH_METHOD: 'client_secret_basic' })
    expect(simulator.admin.clients().map(({ clientId }) => clientId)).toContain(env['NOTION_MCP_CLIENT_ID'])

    const redirectUri = 'http://localhost:8000/integrations/notion/mcp/oauth/callback'
    const gateway = await startGateway({
      mcpUrl: simulator.mcpUrl,
      env: { ...env, NOTION_MCP_OAUTH_REDIRECT_URI: redirectUri },
    })
    try {
      simulator.clearRecorded()
      const { authorizeUrl } = await gateway.start('north')
      const consent = await fetch(authorizeUrl, { redirect: 'manual' })
      const callback = new URL(consent.headers.get('location') ?? '')
      expect(`${callback.origin}${callback.pathname}`).toBe(redirectUri)
      const end = await fetch(`${gateway.url}${callback.pathname}${callback.search}`, { redirect: 'manual' })
      expect(end.headers.get('location')).toContain('status=success')
      expect(simulator.recorded.registrations).toEqual([])
    } finally {
      await gateway.stop()
    }
  })

  it('prints the client of the settings instead of registering one, unless forced', async () => {
    const env = await evaluated({})
    simulator.clearRecorded()
    expect(await evaluated(env)).toEqual(env)
    expect(simulator.recorded.registrations).toEqual([])
    const forced = await evaluated(env, '--force')
    expect(forced['NOTION_MCP_CLIENT_ID']).not.toBe(env['NOTION_MCP_CLIENT_ID'])
  })

  it('quotes values of the server for the shell', async () => {
    const secret = `'; touch /nowhere; echo $(id) "\`x\``
    const env = { NOTION_MCP_CLIENT_ID: 'client $(id)', NOTION_MCP_CLIENT_SECRET: secret }
    expect(await evaluated(env)).toMatchObject(env)
  })

  it('fails with one sentence when the server does not respond', async () => {
    const failing = promisify(execFile)(process.execPath, [command], {
      env: { NOTION_MCP_SERVER_URL: 'http://localhost:1/mcp' },
    })
    await expect(failing).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^export-notion-mcp-credentials: .*\n$/),
    })
  })
})
