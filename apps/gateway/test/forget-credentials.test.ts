import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { startSimulator, type Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CREDENTIAL_KEYS, type InProcessGateway, spawnGateway, startGateway } from './support/gateway.ts'

const OTHER = `other:${Buffer.alloc(32, 9).toString('base64')}`
const SAME_NAME = `test:${Buffer.alloc(32, 5).toString('base64')}`

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ options: { autoApprove: true } })
})
afterAll(() => simulator.close())

/** Two connected spaces and a disconnected one, on a database without a running gateway. */
async function stored(): Promise<InProcessGateway> {
  const gateway = await startGateway({ mcpUrl: simulator.mcpUrl })
  for (const space of ['east', 'north', 'west']) await gateway.connect(space)
  await gateway.fetch('/integrations/notion/west', { method: 'DELETE' })
  await gateway.start('begun')
  await gateway.stop()
  return gateway
}

/** Runs the command with the operator's `input`. */
async function forget(databaseUrl: string, keys: string, args: string[] = [], input = '') {
  const program = join(import.meta.dirname, '../src/commands/forget-credentials.ts')
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, CREDENTIAL_KEYS: keys },
  })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output }
}

describe('the command that forgets credentials', () => {
  it.each([
    ['are missing', OTHER],
    ['have another value', SAME_NAME],
  ])('lists unreadable credentials when keys %s, asks, and lets the gateway start again', async (_, keys) => {
    const { databaseUrl } = await stored()
    const env = { CREDENTIAL_KEYS: keys }
    await expect(spawnGateway({ mcpUrl: simulator.mcpUrl, databaseUrl, env })).rejects.toThrow(
      /cannot be opened.*npm run forget-credentials/,
    )
    for (const answer of ['', 'yesterday\n']) {
      const { code, output } = await forget(databaseUrl, keys, [], answer)
      expect(code).toBe(1)
      expect(output).toMatch(/^2 of 2 connected spaces cannot be opened with CREDENTIAL_KEYS/)
      expect(output).toMatch(/\n {2}east, workspace “.+”, connected by ada \(process [\da-f-]{36}\)\n {2}north, /)
      expect(output).toContain('They were sealed with "test".')
      expect(output).toMatch(/Nothing was changed\.\n$/)
    }
    const { code, output } = await forget(databaseUrl, keys, [], 'y\n')
    expect([code, output]).toEqual([0, expect.stringContaining('2 marked as “reconnect required”')])

    const client = new Client(databaseUrl)
    await client.connect()
    expect((await client.query('select from gateway.authorization_requests where taken_at is null')).rowCount).toBe(0)
    await client.end()
    const gateway = await startGateway({ mcpUrl: simulator.mcpUrl, databaseUrl, env })
    try {
      expect(await gateway.connection('north')).toMatchObject({
        status: 'reconnect_required',
        reason: 'credentials_lost',
        hasMcpToken: false,
      })
      expect(await gateway.connection('west')).toMatchObject({ status: 'disconnected' })
      const refused = await gateway.call('north', { id: 1, method: 'tools/list' })
      expect(await refused.json()).toMatchObject({ code: 'reconnect_required' })
      for (const space of ['north', 'west', 'begun']) await gateway.connect(space)
      await gateway.callTool('north', 'notion-search', { query: 'plan' })
      expect((await gateway.history('north')).events.map(({ type }) => type)).toEqual([
        'NotionIntegrationAuthorized',
        'NotionIntegrationAuthorizationFailed',
        'NotionIntegrationAuthorized',
      ])
    } finally {
      await gateway.stop()
    }
  })

  it('changes only unreadable credentials', async () => {
    const { databaseUrl } = await stored()
    expect(await forget(databaseUrl, CREDENTIAL_KEYS, ['--yes'])).toEqual({
      code: 0,
      output: 'All 2 connected spaces can be opened with CREDENTIAL_KEYS ("test"). Nothing to do.\n',
    })
    const client = new Client(databaseUrl)
    await client.connect()
    await client.query(
      `update gateway.data_keys set wrapped = 'AAAA' where stream = (select stream from gateway.connections where space_id = 'east')`,
    )
    await client.end()
    const { code, output } = await forget(databaseUrl, CREDENTIAL_KEYS, ['--yes'])
    expect(code).toBe(0)
    expect(output).toMatch(/^1 of 2 connected spaces[^]*\n {2}east[^]*\n1 marked as/)
    expect(output).not.toMatch(/\n {2}north/)
    const gateway = await startGateway({ mcpUrl: simulator.mcpUrl, databaseUrl })
    try {
      await gateway.callTool('north', 'notion-search', { query: 'plan' })
      expect(await gateway.connection('east')).toMatchObject({ reason: 'credentials_lost' })
    } finally {
      await gateway.stop()
    }
  })

  it('does not ask with --yes and finds nothing the second time', async () => {
    const { databaseUrl } = await stored()
    expect((await forget(databaseUrl, OTHER, ['--yes'])).output).toContain('2 marked')
    expect((await forget(databaseUrl, OTHER, ['--yes'])).output).toMatch(/^All 0 connected spaces can be opened/)
  })

  it('fails while a gateway is running, whose keys may be right', async () => {
    const gateway = await startGateway({ mcpUrl: simulator.mcpUrl })
    try {
      await gateway.connect('north')
      const { code, output } = await forget(gateway.databaseUrl, OTHER, ['--yes'])
      expect([code, output]).toEqual([1, expect.stringContaining('A gateway is running on this database')])
      await gateway.callTool('north', 'notion-search', { query: 'plan' })
    } finally {
      await gateway.stop()
    }
  })
})
