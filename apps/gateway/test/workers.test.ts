/** Several processes behind one port (WORKERS). */
import { once } from 'node:events'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { spawnGateway, type ProcessGateway } from './support/gateway.ts'

let simulator: Simulator

beforeAll(async () => {
  simulator = await startSimulator({ options: { autoApprove: true, testTools: true, rateLimitPerMinute: null } })
})
afterAll(() => simulator.close())

async function startWorkers(): Promise<ProcessGateway> {
  const gateway = await spawnGateway({ mcpUrl: simulator.mcpUrl, env: { WORKERS: '2' } })
  onTestFinished(() => gateway.kill())
  await expect.poll(() => workersOf(gateway).length).toBe(2)
  return gateway
}

interface Line {
  event: string
  pid?: number
  worker?: number
}

const lines = (gateway: ProcessGateway): Line[] =>
  gateway
    .logs()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as Line] : []))

/** The processes that listened, in order. */
const workersOf = (gateway: ProcessGateway): number[] =>
  lines(gateway).flatMap(({ event, pid }) => (event === 'gateway.listening' && pid !== undefined ? [pid] : []))

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Each on a new connection, since connections are distributed round-robin, not calls. */
const search = (gateway: ProcessGateway) =>
  gateway.call(
    'north',
    { id: 1, method: 'tools/call', params: { name: 'notion-search', arguments: { query: 'launch' } } },
    { headers: { connection: 'close' } },
  )

describe('a gateway of two workers', () => {
  it('runs two processes behind one port that share connections to Notion', async () => {
    const gateway = await startWorkers()
    await gateway.connect('north')
    for (let i = 0; i < 8; i++) expect((await search(gateway)).status).toBe(200)
    const [one = 0, other = 0] = workersOf(gateway)
    expect(new Set([one, other, gateway.process.pid]).size).toBe(3)
    for (const victim of [one, other]) {
      process.kill(victim, 'SIGSTOP')
      // One of the two still responds, so both did before.
      const responses = await Promise.allSettled(
        [search(gateway), search(gateway)].map((call) => withinSeconds(2, call)),
      )
      process.kill(victim, 'SIGCONT')
      expect(responses.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    }
  })

  it('restarts a worker that dies and serves calls meanwhile', async () => {
    const gateway = await startWorkers()
    await gateway.connect('north')
    process.kill(workersOf(gateway)[0] ?? 0, 'SIGKILL')
    await expect.poll(() => lines(gateway).some(({ event }) => event === 'worker.ended')).toBe(true)
    expect((await search(gateway)).status).toBe(200)
    await expect.poll(() => workersOf(gateway).length, { timeout: 20_000 }).toBe(3)
    expect((await search(gateway)).status).toBe(200)
    expect((await search(gateway)).status).toBe(200)
  })

  it('lets calls finish after SIGTERM and leaves no process behind', async () => {
    const gateway = await startWorkers()
    await gateway.connect('north')
    const before = simulator.recorded.mcpRequests.length
    simulator.setOptions({ mcpFaults: [{ kind: 'slow', tool: 'notion-search', delayMs: 1500, times: 2 }] })
    const calls = [search(gateway), search(gateway)]
    await expect.poll(() => simulator.recorded.mcpRequests.length).toBe(before + 2)
    await gateway.stop()
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200])
    expect(gateway.process.exitCode).toBe(0)
    expect(workersOf(gateway).filter(isAlive)).toEqual([])
  })

  it('ends all workers when the primary is killed', async () => {
    const gateway = await startWorkers()
    await gateway.kill()
    await expect.poll(() => workersOf(gateway).filter(isAlive), { timeout: 20_000 }).toEqual([])
  })

  it('prints a startup error once without restarting', async () => {
    const failed = spawnGateway({ mcpUrl: simulator.mcpUrl, env: { WORKERS: '0' } })
    await expect(failed).rejects.toThrow('WORKERS')
  })
})

async function withinSeconds<T>(seconds: number, work: Promise<T>): Promise<T> {
  const [late] = [once(AbortSignal.timeout(seconds * 1000), 'abort')]
  return Promise.race([
    work,
    late.then(() => {
      throw new Error('no response')
    }),
  ])
}
