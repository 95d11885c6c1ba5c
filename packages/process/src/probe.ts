/**
 * A diagnostic endpoint for `npm run doctor`: returns the request as it arrived through the reverse proxies, as events with pauses between them. The
 * doctor checks the headers, and whether events arrive one at a time.
 *
 * Client and process prove to each other that they know the service token, without sending it, because the public name may resolve to another host.
 * Requests without a valid proof are not handled here.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

export type ProbedProcess = 'gateway' | 'web'

/** Below the paths with event streams, so that the same rules of a reverse proxy apply. */
export const PROBE_PATHS: Readonly<Record<ProbedProcess, string>> = {
  gateway: '/mcp/notion/probe',
  web: '/api/probe',
}

export const PROBE_HEADER = 'x-gateway-probe'

/** Maximum difference between the clocks of client and process. */
const MAX_CLOCK_SKEW_MS = 5 * 60_000

const EVENTS = 4
const PAUSE_MS = 120

/** The request as it arrived at the process. */
const ObservedRequest = z.object({
  process: z.enum(['gateway', 'web']),
  /** The peer of the TCP connection. */
  peer: z.object({ address: z.string(), port: z.number() }),
  /** The client address used for rate limits; null if the process uses none. */
  clientAddress: z.string().nullable(),
  host: z.string(),
  /** The forwarding headers as they arrived; repeated ones are joined by commas. */
  forwarded: z.record(z.string(), z.string()),
})
export type ObservedRequest = z.infer<typeof ObservedRequest>

/** One event. Each contains the whole request, so that none is small enough to be held back in a buffer. */
const ProbeEvent = z.object({ sentAfterMs: z.number(), seen: z.string(), proof: z.string() })

const FORWARDING_HEADERS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via'] as const

/** The client's proof, and the verification of the process's proof. */
export interface ProbeKey {
  readonly headers: Readonly<Record<string, string>>
  /** @returns undefined when the event has no valid proof. */
  read(eventData: string): { readonly sentAfterMs: number; readonly seen: ObservedRequest } | undefined
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
      const parsed = ObservedRequest.safeParse(jsonOf(seen))
      return parsed.success ? { sentAfterMs, seen: parsed.data } : undefined
    },
  }
}

export interface ProbeOptions {
  readonly process: ProbedProcess
  /** Proofs with any of them are accepted. */
  readonly serviceTokens: readonly string[]
  readonly clientAddress: string | null
}

/** @returns the response; undefined when the request has no valid proof or another path. */
export function probeResponse(request: IncomingMessage, options: ProbeOptions): Response | undefined {
  const { process, serviceTokens, clientAddress } = options
  if (request.method !== 'GET' || request.url?.split('?')[0] !== PROBE_PATHS[process]) return undefined
  const [, time = '', nonce = '', proof = ''] =
    /^(\d{1,16})\.([0-9a-f]{32})\.([\w-]{43})$/.exec(String(request.headers[PROBE_HEADER])) ?? []
  if (!(Math.abs(Date.now() - Number(time)) < MAX_CLOCK_SKEW_MS)) return undefined
  const token = serviceTokens.find((known) => isSame(proof, mac(known, ['request', process, time, nonce])))
  if (token === undefined) return undefined
  const seen = JSON.stringify({
    process,
    peer: { address: request.socket.remoteAddress ?? 'unknown', port: request.socket.remotePort ?? 0 },
    clientAddress,
    host: request.headers.host ?? '',
    forwarded: forwardedBy(request),
  } satisfies ObservedRequest)
  const event = (sentAfterMs: number) =>
    JSON.stringify({ sentAfterMs, seen, proof: mac(token, ['response', nonce, String(sentAfterMs), seen]) })
  return new Response(eventStream(event), {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}

/** Sends the {@link probeResponse}, if any. @returns true if the request was handled. */
export function respondToProbe(request: IncomingMessage, response: ServerResponse, options: ProbeOptions): boolean {
  const probe = probeResponse(request, options)
  if (!probe?.body) return false
  response.writeHead(probe.status, Object.fromEntries(probe.headers))
  Readable.fromWeb(probe.body as NodeReadableStream).pipe(response)
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

/** Reads the raw headers, because the process may have removed some. */
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
