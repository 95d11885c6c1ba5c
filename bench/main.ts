/** `npm run bench [-- --rounds 5 --seconds 3 --only calls,streams --json file --peers --docs]` */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { openDatabase } from '@nmg/process'
import { databaseCounter } from './database-counter.ts'
import { startWorker } from './jobs.ts'
import type { LoadJobs, LoadResult, Target } from './load.ts'
import { startPeer } from './peer.ts'
import {
  type GatewayServer,
  killServers,
  processorSeconds,
  processorSecondsOfAll,
  residentBytes,
  type Server,
  SERVICE_TOKEN,
  startFloor,
  startGateway,
  startNginx,
} from './servers.ts'
import { type Measure, median, ratio, row, spread, table } from './table.ts'
import type { UpstreamJobs } from './upstream.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
    json: { type: 'string' },
    streams: { type: 'string', default: '5000' },
    peers: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds)
const seconds = Number(options.seconds)
const streamCount = Number(options.streams)

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
const upstream = startWorker<UpstreamJobs>(join(import.meta.dirname, 'upstream.ts'))
const load = startWorker<LoadJobs>(join(import.meta.dirname, 'load.ts'))
const database = await openDatabase({ dataDir: folder, database: 'gateway' })
const { port: upstreamPort, fastPort } = await upstream.listen()
const mcpUrl = `http://127.0.0.1:${upstreamPort}/mcp`
const measures: Measure[] = []

const call = {
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name: 'notion-search', arguments: { query: 'launch plan' } },
}

const message = (spaceId: string) => JSON.stringify({ ...call, meta: { space_id: spaceId, user_id: 'ada' } })

const headers = (name: string) => ({
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': name,
  'user-agent': 'bench',
})

const direct = (path: string, name = 'notion-search'): Target => ({
  port: path === '/fast' ? fastPort : upstreamPort,
  path,
  headers: headers(name),
  body: message('north'),
})

const through = (server: Server, path: string, name = 'notion-search'): Target => ({
  ...direct(path, name),
  port: server.port,
})

const behind = (server: Server, spaceId = 'north', name = 'notion-search'): Target => ({
  port: server.port,
  path: '/mcp/notion/proxy',
  headers: { ...headers(name), authorization: `Bearer ${SERVICE_TOKEN}`, 'x-user-id': 'ada' },
  body: message(spaceId),
})

const stream = (target: Target): Target => {
  const { body: _, ...rest } = target
  return { ...rest, method: 'GET', headers: { ...rest.headers, 'x-space-id': 'north' } }
}

type Name = 'direct' | 'floor' | 'nginx' | 'gateway'

/** The results of each server by round, with the processor time of its process per call in microseconds. */
type Rounds = Partial<Record<Name, Round[]>>
type Round = LoadResult & { readonly cpuUs: number }

/** Runs all targets alternately in rounds, so that disturbances of the machine affect all of them. */
async function interleaved(
  targets: Partial<Record<Name, Target>>,
  pids: Partial<Record<Name, number>>,
  connections: number,
): Promise<Rounds> {
  const results: Rounds = {}
  const names = Object.keys(targets) as Name[]
  for (const name of names) await load.run(targets[name] as Target, connections, 0.5)
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const pid = pids[name]
      const before = pid === undefined ? 0 : processorSeconds(pid)
      const result = await load.run(targets[name] as Target, connections, seconds)
      const cpuUs = pid === undefined ? 0 : ((processorSeconds(pid) - before) / result.calls) * 1e6
      if (result.errors > 0) throw new Error(`${name}: ${result.errors} of ${result.calls} calls failed`)
      results[name] ??= []
      results[name].push({ ...result, cpuUs })
    }
  }
  return results
}

const per = (results: Rounds, name: Name, value: (round: Round) => number) => (results[name] ?? []).map(value)
const perSecond = ({ calls, seconds: took }: LoadResult) => calls / took

function isSelected(name: string): boolean {
  return options.only === undefined || options.only.split(',').includes(name)
}

function add(measure: Measure): void {
  measures.push(measure)
  console.log(row(measure))
}

/** The measures that compare the gateway with nginx, and calls and latency also with the floor. */
async function compareWithNginx(gateway: GatewayServer, nginx: Server | undefined, floor: Server): Promise<void> {
  const pids = { gateway: gateway.pid, floor: floor.pid, ...(nginx && { nginx: nginx.pid }) }
  const all = (name?: string) => ({
    direct: direct('/mcp', name),
    ...(nginx && { nginx: through(nginx, '/mcp', name) }),
    gateway: behind(gateway, 'north', name),
  })
  const withFloor = { ...all(), floor: through(floor, '/mcp') }

  if (isSelected('calls')) {
    const results = await interleaved(withFloor, pids, 32)
    add({
      name: 'calls/s, small JSON, 32 connections, one process',
      goal: '≥ 0.85 × nginx',
      direct: spread(per(results, 'direct', perSecond)),
      nginx: spread(per(results, 'nginx', perSecond)),
      gateway: spread(per(results, 'gateway', perSecond)),
      ratio: ratio(per(results, 'gateway', perSecond), per(results, 'nginx', perSecond)),
      isMet: (value) => value >= 0.85,
    })
    add(floorRow('calls/s, small JSON, 32 connections', results, perSecond))
    add({
      name: 'processor time per call, 32 connections, µs',
      goal: '≤ 2.5 × nginx',
      nginx: spread(per(results, 'nginx', ({ cpuUs }) => cpuUs)),
      gateway: spread(per(results, 'gateway', ({ cpuUs }) => cpuUs)),
      ratio: ratio(
        per(results, 'gateway', ({ cpuUs }) => cpuUs),
        per(results, 'nginx', ({ cpuUs }) => cpuUs),
      ),
      isMet: (value) => value <= 2.5,
    })
    add(floorRow('processor time per call, 32 connections, µs', results, ({ cpuUs }) => cpuUs))
  }
  if (isSelected('latency')) {
    const results = await interleaved(withFloor, pids, 1)
    const bare = median(per(results, 'direct', ({ p50 }) => p50))
    const added = (name: Name) => per(results, name, ({ p50 }) => p50 - bare)
    add({
      name: 'added p50 at concurrency 1, ms',
      goal: '≤ 3 × nginx',
      direct: spread(per(results, 'direct', ({ p50 }) => p50)),
      nginx: spread(added('nginx')),
      gateway: spread(added('gateway')),
      ratio: ratio(added('gateway'), added('nginx')),
      isMet: (value) => value <= 3,
    })
    add(floorRow('added p50 at concurrency 1, ms', results, ({ p50 }) => p50 - bare))
  }
  if (isSelected('events')) {
    const results = await interleaved(all('events'), pids, 1)
    const added = (name: Name) => {
      const bare = median(per(results, 'direct', ({ firstEventP50 }) => firstEventP50))
      return per(results, name, ({ firstEventP50 }) => firstEventP50 - bare)
    }
    add({
      name: 'added time to the first event of an SSE answer, p50, ms',
      goal: '≤ 3 × nginx',
      direct: spread(per(results, 'direct', ({ firstEventP50 }) => firstEventP50)),
      nginx: spread(added('nginx')),
      gateway: spread(added('gateway')),
      ratio: ratio(added('gateway'), added('nginx')),
      isMet: (value) => value <= 3,
    })
  }
  if (isSelected('large')) {
    const results = await interleaved(all('large'), pids, 8)
    const megabytes = ({ bytes, seconds: took }: LoadResult) => bytes / took / 1e6
    add({
      name: '1 MB answers, 8 connections, MB/s',
      goal: '≥ 0.6 × nginx',
      direct: spread(per(results, 'direct', megabytes)),
      nginx: spread(per(results, 'nginx', megabytes)),
      gateway: spread(per(results, 'gateway', megabytes)),
      ratio: ratio(per(results, 'gateway', megabytes), per(results, 'nginx', megabytes)),
      isMet: (value) => value >= 0.6,
    })
  }
}

/** The gateway against the floor, which shows what Node's server and undici alone cost. */
function floorRow(name: string, results: Rounds, value: (round: Round) => number): Measure {
  const [floor, gateway] = [per(results, 'floor', value), per(results, 'gateway', value)]
  return {
    name: `${name}: against the floor, bare node:http and undici`,
    goal: '–',
    other: spread(floor),
    gateway: spread(gateway),
    ratio: ratio(gateway, floor),
  }
}

async function measureSaturation(nginx: Server | undefined): Promise<void> {
  if (!isSelected('saturation')) return
  // On a new database: a connection is bound to its MCP server.
  const own = await createDatabase('saturation')
  const gateway = await startGateway(own, `http://127.0.0.1:${fastPort}/fast`)
  await gateway.connect('north')
  const targets = {
    direct: direct('/fast'),
    ...(nginx && { nginx: through(nginx, '/fast') }),
    gateway: behind(gateway),
  }
  const results = await interleaved(targets, { gateway: gateway.pid, ...(nginx && { nginx: nginx.pid }) }, 64)
  add({
    name: 'calls/s at saturation, very fast upstream, 64 connections',
    goal: '≥ 0.35 × nginx',
    direct: spread(per(results, 'direct', perSecond)),
    nginx: spread(per(results, 'nginx', perSecond)),
    gateway: spread(per(results, 'gateway', perSecond)),
    ratio: ratio(per(results, 'gateway', perSecond), per(results, 'nginx', perSecond)),
    isMet: (value) => value >= 0.35,
  })
  await gateway.stop()
}

/** Measures how much a second process on the same port adds, as far as the machine has free processors. */
async function measureWorkers(): Promise<void> {
  if (!isSelected('workers')) return
  const rates: Record<number, number[]> = { 1: [], 2: [] }
  const cpu: Record<number, number[]> = { 1: [], 2: [] }
  const gateways = new Map<number, GatewayServer>()
  for (const count of [1, 2]) {
    const own = await createDatabase(`workers_${count}`)
    const gateway = await startGateway(own, `http://127.0.0.1:${fastPort}/fast`, { WORKERS: String(count) })
    await gateway.connect('north')
    await load.run(behind(gateway), 64, 1)
    gateways.set(count, gateway)
  }
  for (let round = 0; round < rounds; round++) {
    for (const [count, gateway] of gateways) {
      const before = processorSecondsOfAll(gateway.pid)
      const result = await load.run(behind(gateway), 64, seconds)
      if (result.errors > 0) throw new Error(`${result.errors} of ${result.calls} calls failed`)
      rates[count]?.push(perSecond(result))
      cpu[count]?.push(((processorSecondsOfAll(gateway.pid) - before) / result.calls) * 1e6)
    }
  }
  for (const gateway of gateways.values()) await gateway.stop()
  add({
    name: `calls/s at saturation, WORKERS=2 against 1, on ${cpus().length} processors shared with load and upstream`,
    goal: 'scales with cores',
    other: spread(rates[1] ?? []),
    gateway: spread(rates[2] ?? []),
    ratio: ratio(rates[2] ?? [], rates[1] ?? []),
    isMet: (value) => value >= 1,
  })
  add({
    name: 'processor time per call, µs, of all processes, WORKERS=2 against 1',
    goal: 'no more than one',
    other: spread(cpu[1] ?? []),
    gateway: spread(cpu[2] ?? []),
    ratio: ratio(cpu[2] ?? [], cpu[1] ?? []),
    isMet: (value) => value <= 1.1,
  })
}

async function comparePeers(gateway: GatewayServer): Promise<void> {
  if (!options.peers || !isSelected('peers')) return
  const peer = await startPeer(folder, `http://127.0.0.1:${upstreamPort}/peer`)
  const own = await load.run(behind(gateway), 32, seconds)
  const theirs: number[] = []
  const ours: number[] = []
  for (let round = 0; round < rounds; round++) {
    const result = await load.run(peer.target(JSON.stringify({ ...call, id: '$connection' })), 32, seconds)
    if (result.errors > 0) throw new Error(`${result.errors} of ${result.calls} calls of ${peer.name} failed`)
    theirs.push(perSecond(result))
    ours.push(perSecond(await load.run(behind(gateway), 32, seconds)))
  }
  await peer.stop()
  if (own.errors > 0) throw new Error('calls failed')
  add({
    name: `calls/s against ${peer.name}, 32 connections`,
    goal: '≥ 30 × it',
    other: spread(theirs),
    gateway: spread(ours),
    ratio: ratio(ours, theirs),
    isMet: (value) => value >= 30,
  })
}

async function measureIdleStreams(): Promise<void> {
  if (!isSelected('streams')) return
  // A new process: a used one has free heap memory, which would hide the memory of the streams.
  const gateway = await startGateway(await createDatabase('streams'), mcpUrl)
  await gateway.connect('north')
  const tricklePerSecond = 1000
  const openAndTick = async (target: Target) => {
    const { opened } = await load.openStreams([target], streamCount)
    const p99s: number[] = []
    for (let i = 0; i < rounds; i++) {
      const { streams } = await upstream.tick()
      if (streams < opened) throw new Error(`${opened - streams} streams are not open upstream`)
      const { p99, received } = await load.awaitEvents(opened)
      if (received !== opened) throw new Error(`${opened - received} events were not received`)
      p99s.push(p99)
      await pause(300)
    }
    const trickled: number[] = []
    for (let i = 0; i < rounds; i++) {
      const events = load.awaitEvents(2000)
      await upstream.trickle(2000, tricklePerSecond)
      trickled.push((await events).p99)
    }
    return { p99s, trickled }
  }
  const bare = await openAndTick(stream(direct('/mcp')))
  await load.closeStreams()
  await pause(500)
  const before = residentBytes(gateway.pid)
  const proxied = await openAndTick(stream(behind(gateway)))
  await pause(2000)
  const perStream = (residentBytes(gateway.pid) - before) / streamCount / 1000
  await load.closeStreams()
  await gateway.stop()
  add({
    name: `memory per open idle stream, ${streamCount} of them, kB`,
    goal: '≤ 25',
    gateway: spread([perStream]),
    isMet: (value) => value <= 25,
  })
  add({
    name: `delivery of ${tricklePerSecond} events a second over ${streamCount} streams, p99, ms`,
    goal: '≤ direct + 5',
    direct: spread(bare.trickled),
    gateway: spread(proxied.trickled),
    difference: median(proxied.trickled) - median(bare.trickled),
    isMet: (value) => value <= 5,
  })
  add({
    name: `delivery of one event to each of ${streamCount} streams in the same moment, p99, ms`,
    goal: '≤ direct + 5',
    direct: spread(bare.p99s),
    gateway: spread(proxied.p99s),
    difference: median(proxied.p99s) - median(bare.p99s),
    isMet: (value) => value <= 5,
  })
}

async function measureDatabase(): Promise<void> {
  if (!isSelected('database')) return
  const own = await createDatabase('database')
  const spaces = Array.from({ length: 20 }, (_, i) => `space-${i}`)
  const first = await startGateway(own, mcpUrl)
  for (const space of spaces) await first.connect(space)
  await first.stop()

  const counter = await databaseCounter(own)
  const cold = async () => {
    const gateway = await startGateway(counter.url, mcpUrl)
    const roundTrips: number[] = []
    const times: number[] = []
    // The first call also warms up the process; the others show the cost of a new space.
    for (const space of spaces) {
      const before = counter.roundTrips()
      const { p50, calls } = await load.run(behind(gateway, space), 1, 0.001)
      if (calls > 0) times.push(p50)
      roundTrips.push(counter.roundTrips() - before)
    }
    const rates: number[] = []
    for (let i = 0; i < rounds; i++) rates.push(perSecond(await load.run(behind(gateway, 'space-1'), 32, seconds)))
    await gateway.stop()
    return { roundTrips: roundTrips.slice(1), times: times.slice(1), rates }
  }
  const few = await cold()
  add({
    name: 'a space seen for the first time: round trips to the database',
    goal: '1',
    gateway: spread(few.roundTrips),
    isMet: (value) => value === 1,
  })

  await fill(own, 10_000, 100_000)
  const many = await cold()
  add({
    name: 'calls/s, 32 connections: 10 events and 20 spaces, against 10,000 and 100,000',
    goal: 'equal within noise',
    other: spread(few.rates),
    gateway: spread(many.rates),
    ratio: ratio(many.rates, few.rates),
    isMet: (value) => value >= 0.9,
  })
  add({
    name: 'first call of a space, ms: 10 events and 20 spaces, against 10,000 and 100,000',
    goal: 'equal within noise',
    other: spread(few.times),
    gateway: spread(many.times),
    ratio: median(many.times) / median(few.times),
    isMet: (value) => value <= 1.3,
  })
  counter.close()
}

async function measureRefreshStorm(): Promise<void> {
  if (!isSelected('storm')) return
  const waiting = 2000
  const own = await createDatabase('storm')
  const gateway = await startGateway(own, mcpUrl, { NOTION_MCP_REFRESH_MARGIN_SECONDS: '60' })
  const ordinary: number[] = []
  const released: number[] = []
  await gateway.connect('north')
  await load.run(behind(gateway), 32, 1)
  for (let round = 0; round < rounds; round++) {
    const calm = await load.burst([behind(gateway)], waiting)
    ordinary.push(calm.lastAt - calm.startedAt)
    // Two seconds before the refresh: the gateway refreshes a minute before the token expires.
    const space = `storm-${round}`
    await upstream.grantFor(62)
    await gateway.connect(space)
    await upstream.grantFor(28_800)
    await upstream.holdRefreshes()
    await pause(2500)
    const before = await upstream.tokenRequests()
    const burst = load.burst([behind(gateway, space)], waiting)
    await pause(1500 + waiting / 2)
    const { releasedAt, held } = await upstream.release()
    const { lastAt, errors } = await burst
    if (errors > 0 || held !== 1 || (await upstream.tokenRequests()) !== before + 1) {
      throw new Error(`the storm was not one refresh: ${held} held, ${errors} calls failed`)
    }
    released.push(lastAt - releasedAt)
  }
  await gateway.stop()
  add({
    name: `${waiting} calls, ms: at once, against released by one refresh`,
    goal: '≤ 2 ×',
    other: spread(ordinary),
    gateway: spread(released),
    ratio: ratio(released, ordinary),
    isMet: (value) => value <= 2,
  })
}

async function measureStart(): Promise<void> {
  if (!isSelected('start')) return
  const own = await createDatabase('start')
  await (await startGateway(own, mcpUrl)).stop()
  const times: number[] = []
  for (let i = 0; i < Math.max(5, rounds); i++) {
    const gateway = await startGateway(own, mcpUrl)
    times.push(gateway.readyAfterMs)
    await gateway.stop()
  }
  add({
    name: 'start of the gateway to ready, warm, ms',
    goal: '≤ 400',
    gateway: spread(times),
    isMet: (value) => value <= 400,
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** An empty database on the same server. */
async function createDatabase(name: string): Promise<string> {
  const { url } = await openDatabase({ dataDir: folder, database: name })
  return url
}

async function withSql(url: string, work: (sql: Client) => Promise<unknown>): Promise<void> {
  const sql = new Client(url)
  await sql.connect()
  await work(sql)
  await sql.end()
}

/** Adds events to every stream, and spaces. */
async function fill(url: string, events: number, spaces: number): Promise<void> {
  await withSql(url, async (sql) => {
    await sql.query(
      `insert into gateway.connection_events (stream, version, event)
       select c.stream, c.version + n, e.event
         from gateway.connections c
         join gateway.connection_events e on e.stream = c.stream and e.version = 1
        cross join generate_series(1, $1) n`,
      [events],
    )
    await sql.query(`update gateway.connections set version = version + $1`, [events])
    await sql.query(
      `insert into gateway.connections (stream, space_id, version, connection)
       select gen_random_uuid(), 'filled-' || n, 1, (select connection from gateway.connections limit 1)
         from generate_series(1, $1) n`,
      [spaces],
    )
    await sql.query('analyze')
  })
}

/** Updates the table of docs/performance.md; rows without new results stay. */
function writeDocs(machine: string): void {
  const page = join(import.meta.dirname, '../docs/performance.md')
  const [begin, end] = ['<!-- results -->', '<!-- /results -->']
  const text = readFileSync(page, 'utf8')
  const before = text.slice(0, text.indexOf(begin) + begin.length)
  const after = text.slice(text.indexOf(end))
  const [head = '', line = '', ...measured] = table(measures).split('\n')
  const rows = new Map<string, string>()
  for (const each of [...text.slice(before.length, -after.length).split('\n'), ...measured]) {
    if (each.startsWith('| ') && each !== head && each !== line) rows.set(each.split(' | ')[0] ?? '', each)
  }
  const when = `${machine}; rounds of ${seconds} s; ${new Date().toISOString().slice(0, 10)}.`
  writeFileSync(page, [before, when, '', head, line, ...rows.values(), after].join('\n'))
}

async function main(): Promise<void> {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`
  console.log(`${machine}; ${rounds} rounds of ${seconds} s, interleaved; median (least to most)\n`)
  const nginx = await startNginx(upstreamPort, fastPort)
  if (!nginx)
    console.log('nginx is not installed: there is no comparison with it. On Debian: apt-get install nginx-light\n')
  const floor = await startFloor(upstreamPort)
  const gateway = await startGateway(database.url, mcpUrl)
  await gateway.connect('north')

  await compareWithNginx(gateway, nginx, floor)
  await floor.stop()
  await measureSaturation(nginx)
  await measureWorkers()
  await comparePeers(gateway)
  await measureIdleStreams()
  await gateway.stop()
  await nginx?.stop()
  await measureDatabase()
  await measureRefreshStorm()
  await measureStart()

  console.log(`\n${table(measures)}`)
  if (options.docs) writeDocs(machine)
  const report = JSON.stringify({ machine, at: new Date().toISOString(), rounds, seconds, measures }, undefined, 2)
  if (options.json === undefined) console.log(`\n${report}`)
  else writeFileSync(options.json, `${report}\n`)
}

try {
  await main()
} finally {
  killServers()
  upstream.child.kill()
  load.child.kill()
  await database.close()
  rmSync(folder, { recursive: true, force: true })
}
