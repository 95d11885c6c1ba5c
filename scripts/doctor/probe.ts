/** Requests of the doctor through the public names. */
import { request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import { probeKey, PROBE_PATHS, type ProbedProcess, type ObservedRequest } from './parts.ts'

/** An event, in milliseconds after the first one: when it was sent, and when it arrived. */
export interface Arrival {
  readonly sentAfterMs: number
  readonly arrivedAfterMs: number
}

export type Probe =
  | {
      readonly seen: ObservedRequest
      readonly arrivals: readonly Arrival[]
      /** The doctor's end of the connection, to distinguish direct connections from proxies. */
      readonly own: { readonly address: string; readonly port: number }
    }
  | { readonly unreachable: string }
  /** A response from something other than a process with the service token. */
  | { readonly status: number }

const TIMEOUT_MS = 8_000

/** A client address that the doctor invents, from the range for documentation (RFC 5737). */
export const INVENTED_ADDRESS = '192.0.2.77'

/** Never rejects. */
export async function probe(
  process: ProbedProcess,
  origin: string,
  serviceToken: string,
  now: () => number,
): Promise<Probe> {
  const key = probeKey(process, serviceToken, now())
  const url = new URL(PROBE_PATHS[process], origin)
  const send = url.protocol === 'https:' ? requestSecure : requestPlain
  const headers = { ...key.headers, 'x-forwarded-for': INVENTED_ADDRESS }
  return new Promise((resolve) => {
    const request = send(url, { headers, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) })
    let own = { address: '', port: 0 }
    request.on('socket', (socket) =>
      socket.once('connect', () => {
        const { address = '', port = 0 } = socket.address() as Partial<AddressInfo>
        own = { address: plainAddress(address), port }
      }),
    )
    request.on('error', (error: NodeJS.ErrnoException) => resolve({ unreachable: error.code ?? error.name }))
    request.on('response', (response) => {
      const status = response.statusCode ?? 0
      if (status !== 200) {
        response.destroy()
        resolve({ status })
        return
      }
      const events: { arrivedAt: number; data: string }[] = []
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const parts = (text + chunk).split('\n\n')
        text = parts.pop() ?? ''
        for (const part of parts) events.push({ arrivedAt: performance.now(), data: part.replace(/^data: ?/, '') })
      })
      response.on('error', (error: NodeJS.ErrnoException) => resolve({ unreachable: error.code ?? error.name }))
      response.on('end', () => {
        const read = events.flatMap(({ arrivedAt, data }) => {
          const event = key.read(data)
          return event === undefined ? [] : [{ ...event, arrivedAt }]
        })
        const [first] = read
        if (!first) return resolve({ status })
        const arrivals = read.map(({ sentAfterMs, arrivedAt }) => ({
          sentAfterMs: sentAfterMs - first.sentAfterMs,
          arrivedAfterMs: arrivedAt - first.arrivedAt,
        }))
        resolve({ seen: first.seen, arrivals, own })
      })
    })
    request.end()
  })
}

/** Converts an IPv4-mapped IPv6 address to IPv4. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
