/** Reads the first usable one of several metadata documents, and explains why when there is none. */
import { ForbiddenUrl, ProxyFailed, type GuardedFetch } from '@nmg/outbound'
import { retryAfter } from './retry-after.ts'
import type { MetadataLocation } from './metadata-locations.ts'
import { Failure } from '../../platform/failure.ts'

/**
 * Why a document was not used. `refused`: a redirect or a 4xx, which is also how a server without this document responds. `unavailable`:
 * no connection, a time-out, 429, 5xx, or a bot challenge in place of the server. `malformed`: not a metadata document at all. `unusable`:
 * a metadata document, but of somebody else or without what we insist on.
 */
type FaultKind = 'refused' | 'unavailable' | 'malformed' | 'unusable'

export interface Fault {
  readonly kind: FaultKind
  readonly location: MetadataLocation
  /** What happened there, in our own words. */
  readonly says: string
  /** Of a response that was not 200. */
  readonly status?: number
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/** Thrown by the reader of a document that it must not use; the message says why, in our own words. */
export class UnusableDocument extends Error {
  override readonly name = 'UnusableDocument'
}

/**
 * Asks one location after the other. Whatever is wrong with one does not keep the next from being asked, except that an address where
 * nothing is sent ends the search.
 *
 * @param read throws {@link UnusableDocument}; any other error makes the document malformed.
 * @returns the document, if any, and a fault for each location before it.
 * @throws {ForbiddenUrl}
 */
export async function firstUsable<T>(
  locations: readonly MetadataLocation[],
  fetch: GuardedFetch,
  read: (json: unknown) => T,
): Promise<{ document?: T; faults: readonly Fault[] }> {
  const faults: Fault[] = []
  for (const location of locations) {
    const result = await readOne(location, fetch, read)
    if ('document' in result) return { document: result.document, faults }
    faults.push({ location, ...result })
  }
  return { faults }
}

async function readOne<T>(
  { url }: MetadataLocation,
  fetch: GuardedFetch,
  read: (json: unknown) => T,
): Promise<{ document: T } | Omit<Fault, 'location'>> {
  let response: Response
  try {
    response = await fetch(url.href, { headers: { accept: 'application/json' } })
  } catch (cause) {
    if (cause instanceof ForbiddenUrl) throw cause
    return { kind: 'unavailable', says: 'could not be reached', cause }
  }
  const body = await response.text()
  if (response.status !== 200) return faultOf(response, body)
  try {
    return { document: read(JSON.parse(body)) }
  } catch (cause) {
    if (cause instanceof UnusableDocument) return { kind: 'unusable', says: cause.message, cause }
    return { kind: 'malformed', says: 'is malformed', cause }
  }
}

function faultOf(response: Response, body: string): Omit<Fault, 'location'> {
  const { status, headers } = response
  if (isBotChallenge(response, body)) {
    return { kind: 'unavailable', says: `answered ${status} with a bot check`, retryAfterSeconds: retryAfter(headers) }
  }
  if (status >= 500 || PASSING.has(status)) {
    return { kind: 'unavailable', says: `answered ${status}`, retryAfterSeconds: retryAfter(headers) }
  }
  return { kind: status < 300 ? 'malformed' : 'refused', says: `answered ${status}`, status }
}

/** Request Timeout, Too Early, Too Many Requests: these say nothing about the document. */
const PASSING = new Set([408, 425, 429])

/** A page of the network in front (Cloudflare and its kind) that wants to see a browser; the server itself was not asked. */
function isBotChallenge({ status, headers }: Response, body: string): boolean {
  if (CHALLENGE_HEADERS.some((name) => headers.has(name))) return true
  if (status !== 403) return false
  const isFromCloudflare = headers.has('cf-ray') || /cloudflare/i.test(headers.get('server') ?? '')
  const isPage = /html/i.test(headers.get('content-type') ?? '')
  return isPage ? isFromCloudflare || /cloudflare|cf-chl/i.test(body) : /^error code: 1\d{3}\b/.test(body)
}

/** Of Cloudflare, Vercel and AWS WAF. */
const CHALLENGE_HEADERS = ['cf-mitigated', 'x-vercel-mitigated', 'x-amzn-waf-action']

/**
 * The failure for a search that found nothing. Unavailability outweighs the rest: a document that could not be read now may be the
 * right one.
 *
 * @param what whose metadata were looked for.
 * @param wayOut what the operator can do when the server will not change.
 */
export function notFound(what: string, faults: readonly Fault[], wayOut: string): Failure {
  const tried = faults.map(({ location, says }) => `${location.name} ${says}`).join('; ')
  const causes = faults.map(({ cause }) => cause)
  const proxyFailed = causes.find((cause) => cause instanceof ProxyFailed)
  const options = { cause: proxyFailed ?? causes.find((cause) => cause !== undefined) }
  if (faults.some(({ kind }) => kind === 'unavailable')) {
    const retryAfterSeconds = Math.max(0, ...faults.map((fault) => fault.retryAfterSeconds ?? 0)) || 30
    const next = proxyFailed?.message ?? 'Try again in a minute.'
    return new Failure('authorization_unavailable', `${what} is unavailable: ${tried}. ${next}`, {
      ...options,
      retryAfterSeconds,
    })
  }
  return new Failure('authorization_refused', `${what} ${verdictOn(faults)}: ${tried}. ${wayOut}`, options)
}

function verdictOn(faults: readonly Fault[]): string {
  if (faults.every(({ status }) => status === 404 || status === 410)) return 'publishes no metadata'
  const isRefusal = faults.every(({ kind }) => kind === 'refused')
  return isRefusal ? 'refuses to give its metadata' : 'gives no metadata that can be used'
}
