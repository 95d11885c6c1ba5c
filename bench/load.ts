/** Makes load with plain sockets, and measures it. What a full HTTP client would cost would hide what is measured. */
import { connect, type Socket } from 'node:net'
import { serveJobs } from './jobs.ts'

export interface Target {
  readonly port: number
  readonly path: string
  readonly method?: 'POST' | 'GET'
  readonly headers: Readonly<Record<string, string>>
  /** {@link CONNECTION} in it becomes the number of the connection. */
  readonly body?: string
}

export interface LoadResult {
  readonly calls: number
  readonly seconds: number
  readonly bytes: number
  /** Milliseconds from sending a request to the last byte of its answer. */
  readonly p50: number
  readonly p99: number
  /** To the first event of an answer that streams. */
  readonly firstEventP50: number
  readonly errors: number
}

export interface LoadJobs {
  /** Closed loop: each connection sends its next request when it has the answer. */
  run(target: Target, connections: number, seconds: number): Promise<LoadResult>
  /** All at once, each on a connection of its own; how long until the last answer. */
  burst(targets: Target[], connections: number): Promise<{ lastAt: number; startedAt: number; errors: number }>
  /** Opens streams and keeps them; resolves when all have a head. */
  openStreams(targets: Target[], count: number): Promise<{ opened: number }>
  /** Delays of the events of one tick, in milliseconds, once `count` have come. */
  awaitEvents(count: number): Promise<{ p50: number; p99: number; max: number; came: number }>
  closeStreams(): void
}

/** For servers of which all connections share a session, in which no two calls may have the same id at once. */
export const CONNECTION = '"$connection"'
/** After this long without its end, a run has failed. */
const STUCK_MS = 20_000

const now = () => performance.timeOrigin + performance.now()

function requestBytes({ method = 'POST', path, headers, body = '' }: Target): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const length = method === 'POST' ? [`content-length: ${Buffer.byteLength(body)}`] : []
  return Buffer.from([`${method} ${path} HTTP/1.1`, 'host: localhost', ...lines, ...length, '', body].join('\r\n'))
}

/** Reads answers off a connection: by length, or by the last chunk. */
class AnswerReader {
  #head: Buffer | undefined
  #left = -1
  #isChunked = false
  #tail = ''
  firstEventAt = 0
  status = 0

  /** Whether the answer is complete with these bytes. */
  read(bytes: Buffer): boolean {
    let body = bytes
    if (this.#left < 0 && !this.#isChunked) {
      const all = this.#head ? Buffer.concat([this.#head, bytes]) : bytes
      const end = all.indexOf('\r\n\r\n')
      if (end === -1) {
        this.#head = all
        return false
      }
      const head = all.toString('latin1', 0, end)
      this.status = Number(head.slice(9, 12))
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
      if (length === undefined) this.#isChunked = true
      else this.#left = Number(length)
      body = all.subarray(end + 4)
    }
    if (this.#isChunked) {
      if (this.firstEventAt === 0 && body.includes('data:')) this.firstEventAt = performance.now()
      this.#tail = (this.#tail + body.toString('latin1')).slice(-7)
      return this.#tail === '\r\n0\r\n\r\n' || this.#tail.endsWith('0\r\n\r\n')
    }
    this.#left -= body.length
    return this.#left <= 0
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

async function run(target: Target, connections: number, seconds: number): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(target.port)))
  const times: number[] = []
  const firstEvents: number[] = []
  let bytes = 0
  let errors = 0
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1000

  await Promise.all(
    sockets.map(
      (socket, i) =>
        new Promise<void>((resolve) => {
          const request = requestBytes({ ...target, body: target.body?.replace(CONNECTION, String(1000 + i)) ?? '' })
          let sentAt = 0
          let reader = new AnswerReader()
          const next = (): void => {
            sentAt = performance.now()
            if (sentAt >= endAt) return void socket.end(resolve)
            reader = new AnswerReader()
            socket.write(request)
          }
          socket.on('data', (chunk) => {
            bytes += chunk.length
            if (!reader.read(chunk)) return
            times.push(performance.now() - sentAt)
            if (reader.firstEventAt > 0) firstEvents.push(reader.firstEventAt - sentAt)
            if (reader.status !== 200) errors++
            next()
          })
          socket.on('error', () => {
            errors++
            resolve()
          })
          socket.on('close', () => resolve())
          socket.setTimeout(STUCK_MS, () => socket.destroy(new Error('no answer')))
          next()
        }),
    ),
  )
  const took = (performance.now() - startedAt) / 1000
  const sorted = Float64Array.from(times).sort()
  const sortedEvents = Float64Array.from(firstEvents).sort()
  return {
    calls: times.length,
    seconds: took,
    bytes,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    firstEventP50: percentile(sortedEvents, 0.5),
    errors,
  }
}

async function burst(
  targets: Target[],
  connections: number,
): Promise<{ lastAt: number; startedAt: number; errors: number }> {
  const sockets: Socket[] = []
  for (let i = 0; i < connections; i++) sockets.push(await open(targets[i % targets.length]?.port ?? 0))
  const requests = targets.map(requestBytes)
  const startedAt = now()
  let lastAt = startedAt
  let errors = 0
  await Promise.all(
    sockets.map(
      (socket, i) =>
        new Promise<void>((resolve) => {
          const reader = new AnswerReader()
          socket.on('data', (chunk) => {
            if (!reader.read(chunk)) return
            lastAt = now()
            if (reader.status !== 200) errors++
            socket.end()
            resolve()
          })
          socket.on('error', () => {
            errors++
            resolve()
          })
          socket.write(requests[i % requests.length] ?? '')
        }),
    ),
  )
  return { startedAt, lastAt, errors }
}

let streams: Socket[] = []
let delays: number[] = []
let wake = (): void => {}

async function openStreams(targets: Target[], count: number): Promise<{ opened: number }> {
  const requests = targets.map(requestBytes)
  for (let from = 0; from < count; from += 200) {
    await Promise.all(
      Array.from({ length: Math.min(200, count - from) }, async (_, i) => {
        const n = (from + i) % targets.length
        const socket = await open(targets[n]?.port ?? 0)
        streams.push(socket)
        await new Promise<void>((resolve, reject) => {
          socket.once('data', (head) => {
            if (head.toString('latin1', 9, 12) !== '200') reject(new Error(head.toString()))
            socket.on('data', (bytes) => {
              const sentAt = /data: ([\d.]+)/.exec(bytes.toString('latin1'))?.[1]
              if (sentAt === undefined) return
              delays.push(now() - Number(sentAt))
              wake()
            })
            resolve()
          })
          socket.on('error', reject)
          socket.write(requests[n] ?? '')
        })
      }),
    )
  }
  return { opened: streams.length }
}

async function awaitEvents(count: number): Promise<{ p50: number; p99: number; max: number; came: number }> {
  const deadline = Date.now() + 20_000
  while (delays.length < count && Date.now() < deadline) {
    await new Promise<void>((resolve) => {
      wake = resolve
      setTimeout(resolve, 200)
    })
  }
  const sorted = Float64Array.from(delays).sort()
  delays = []
  return {
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    max: percentile(sorted, 1),
    came: sorted.length,
  }
}

serveJobs<LoadJobs>({
  run,
  burst,
  openStreams,
  awaitEvents,
  closeStreams() {
    for (const socket of streams) socket.destroy()
    streams = []
  },
})
