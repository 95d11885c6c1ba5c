/** Generates and measures load with plain sockets. The cost of an HTTP client would distort the results. */
import { connect, type Socket } from 'node:net'
import { serveJobs } from './jobs.ts'

export interface Target {
  readonly port: number
  readonly path: string
  readonly method?: 'POST' | 'GET'
  readonly headers: Readonly<Record<string, string>>
  /** {@link CONNECTION} is replaced by the number of the connection. */
  readonly body?: string
}

export interface LoadResult {
  readonly calls: number
  readonly seconds: number
  readonly bytes: number
  /** Milliseconds from sending a request to the last byte of its response. */
  readonly p50: number
  readonly p99: number
  /** Milliseconds to the first event of a streamed response. */
  readonly firstEventP50: number
  readonly errors: number
}

export interface LoadJobs {
  /** Closed loop: each connection sends its next request after the response. */
  run(target: Target, connections: number, seconds: number): Promise<LoadResult>
  /** Sends all requests at once, each on its own connection; measures the time to the last response. */
  burst(targets: Target[], connections: number): Promise<{ lastAt: number; startedAt: number; errors: number }>
  /** Opens streams; resolves when all have received the response headers. */
  openStreams(targets: Target[], count: number): Promise<{ opened: number }>
  /** Waits for `count` events, and returns their delays in milliseconds. */
  awaitEvents(count: number): Promise<{ p50: number; p99: number; max: number; received: number }>
  closeStreams(): void
}

/** For servers whose connections share a session, where the ids of concurrent calls must be unique. */
export const CONNECTION = '"$connection"'
/** Time limit of a response. */
const RESPONSE_TIMEOUT_MS = 20_000

const now = () => performance.timeOrigin + performance.now()

function requestBytes({ method = 'POST', path, headers, body = '' }: Target): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const length = method === 'POST' ? [`content-length: ${Buffer.byteLength(body)}`] : []
  return Buffer.from([`${method} ${path} HTTP/1.1`, 'host: localhost', ...lines, ...length, '', body].join('\r\n'))
}

/** Finds the end of a response, by its length or its last chunk. */
class ResponseReader {
  #head: Buffer | undefined
  #left = -1
  #isChunked = false
  #tail = ''
  firstEventAt = 0
  status = 0

  /** True if these bytes complete the response. */
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
          let reader = new ResponseReader()
          const next = (): void => {
            sentAt = performance.now()
            if (sentAt >= endAt) return void socket.end(resolve)
            reader = new ResponseReader()
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
          socket.setTimeout(RESPONSE_TIMEOUT_MS, () => socket.destroy(new Error('no response')))
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
          const reader = new ResponseReader()
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

async function awaitEvents(count: number): Promise<{ p50: number; p99: number; max: number; received: number }> {
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
    received: sorted.length,
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
