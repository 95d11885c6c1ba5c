/**
 * A diagnostic endpoint: it returns what a process sees of a request that came through the reverse proxies, as events with pauses between them, so that
 * `npm run doctor` sees which headers arrive and whether events arrive one at a time.
 *
 * Caller and process prove to each other that they know the service token without sending it: the public name may lead to another host. Requests
 * without a valid proof get no response from here.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

export type ProbedProcess = 'gateway' | 'web'

/** Below the paths that carry event streams, so that it takes the same way through a reverse proxy. */
export const PROBE_PATHS: Readonly<Record<ProbedProcess, string>> = {
  gateway: '/mcp/notion/probe',
  web: '/api/probe',
}

export const PROBE_HEADER = 'x-gateway-probe'

/** How far the clocks of caller and process may differ. */
const PROOF_GOOD_FOR_MS = 5 * 60_000

const EVENTS = 4
const PAUSE_MS = 120

/** What the process sees of the request. */
const Seen = z.object({
  process: z.enum(['gateway', 'web']),
  /** The other end of the TCP connection. */
  peer: z.object({ address: z.string(), port: z.number() }),
  /** The address that limits count; null where the process has none. */
  clientAddress: z.string().nullable(),
  host: z.string(),
  /** As they arrived, several of one name joined by commas. */
  forwarded: z.record(z.string(), z.string()),
})
export type Seen = z.infer<typeof Seen>

/** One event: what was seen comes with each, so that none of them is too small to pass. */
const ProbeEvent = z.object({ sentAfterMs: z.number(), seen: z.string(), proof: z.string() })

const FORWARDING_HEADERS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via'] as const

/** The caller's proof, and the check of the process's. */
export interface ProbeKey {
  readonly headers: Readonly<Record<string, string>>
  /** @returns undefined when the event is not of a process that knows the token. */
  read(eventData: string): { readonly sentAfterMs: number; readonly seen: Seen } | undefined
}

export function probeKey(process: ProbedProcess, serviceToken: string, now: number): ProbeKey {
  const nonce = randomBytes(16).toString('hex')
  const proof = mac(serviceToken, ['request', process, String(now), nonce])
  return {
    headers: { [PROBE_HEADER]: `${now}.${nonce}.${proof}`, accept: 'text/event-stream' },
    read(eventData) {
      const event = ProbeEvent.safeParse(jsonOf(eventData))
      if (!event.success) return undefined
      const { sentAfterMs, seen, proof: theirs } = event.data
      if (!isSame(theirs, mac(serviceToken, ['response', nonce, String(sentAfterMs), seen]))) return undefined
      const parsed = Seen.safeParse(jsonOf(seen))
      return parsed.success ? { sentAfterMs, seen: parsed.data } : undefined
    },
  }
}

export interface ProbeOptions {
  readonly process: ProbedProcess
  /** All of them are accepted. */
  readonly serviceTokens: readonly string[]
  readonly clientAddress: string | null
}

/** @returns the response; undefined when the request has no valid proof, or is for another address. */
export function answerProbe(request: IncomingMessage, options: ProbeOptions): Response | undefined {
  const { process, serviceTokens, clientAddress } = options
  if (request.method !== 'GET' || request.url?.split('?')[0] !== PROBE_PATHS[process]) return undefined
  const [, time = '', nonce = '', proof = ''] =
    /^(\d{1,16})\.([0-9a-f]{32})\.([\w-]{43})$/.exec(String(request.headers[PROBE_HEADER])) ?? []
  if (!(Math.abs(Date.now() - Number(time)) < PROOF_GOOD_FOR_MS)) return undefined
  const token = serviceTokens.find((known) => isSame(proof, mac(known, ['request', process, time, nonce])))
  if (token === undefined) return undefined
  const seen = JSON.stringify({
    process,
    peer: { address: request.socket.remoteAddress ?? 'unknown', port: request.socket.remotePort ?? 0 },
    clientAddress,
    host: request.headers.host ?? '',
    forwarded: forwardedBy(request),
  } satisfies Seen)
  const event = (sentAfterMs: number) =>
    JSON.stringify({ sentAfterMs, seen, proof: mac(token, ['response', nonce, String(sentAfterMs), seen]) })
  return new Response(eventStream(event), {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}

/** Sends {@link answerProbe}. @returns whether there was one. */
export function sendProbeAnswer(request: IncomingMessage, response: ServerResponse, options: ProbeOptions): boolean {
  const answer = answerProbe(request, options)
  if (!answer?.body) return false
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  Readable.fromWeb(answer.body as NodeReadableStream).pipe(response)
  return true
}

function eventStream(event: (sentAfterMs: number) => string): ReadableStream<Uint8Array> {
  const startedAt = performance.now()
  let sent = 0
  return new ReadableStream({
    async pull(controller) {
      if (sent > 0) await sleep(PAUSE_MS)
      controller.enqueue(Buffer.from(`data: ${event(Math.round(performance.now() - startedAt))}\n\n`))
      if (++sent === EVENTS) controller.close()
    },
  })
}

/** From the raw headers: the process may have removed them by now. */
function forwardedBy({ rawHeaders }: IncomingMessage): Record<string, string> {
  const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? '']] : []))
  return Object.fromEntries(
    FORWARDING_HEADERS.flatMap((name) => {
      const values = pairs.flatMap(([key, value]) => (key === name && value !== undefined ? [value] : []))
      return values.length === 0 ? [] : [[name, values.join(', ').slice(0, 1000)]]
    }),
  )
}

const mac = (token: string, parts: readonly string[]): string =>
  createHmac('sha256', token)
    .update(JSON.stringify(['notion-mcp-gateway probe', ...parts]))
    .digest('base64url')

function isSame(presented: string, expected: string): boolean {
  const [a, b] = [Buffer.from(presented), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
