/** Reads the first usable one of several metadata documents, or explains why there is none. */
import { ForbiddenUrl, ProxyFailed, type GuardedFetch } from '@nmg/outbound'
import { retryAfter } from './retry-after.ts'
import type { MetadataLocation } from './metadata-locations.ts'
import { Failure } from '../../platform/failure.ts'

/**
 * Why a document was not used. `refused`: a redirect or a 4xx, as from a server without this document. `unavailable`:
 * no connection, a time-out, 429, 5xx, or a bot challenge. `malformed`: not a metadata document. `unusable`:
 * a metadata document of another server, or without a required feature.
 */
type FaultKind = 'refused' | 'unavailable' | 'malformed' | 'unusable'

export interface Fault {
  readonly kind: FaultKind
  readonly location: MetadataLocation
  /** Describes the fault without text of the server. */
  readonly description: string
  /** Status of a response other than 200. */
  readonly status?: number
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/** Thrown by the reader of a document that must not be used; the message contains no text of the server. */
export class UnusableDocument extends Error {
  override readonly name = 'UnusableDocument'
}

/**
 * Tries the locations in order. A fault of one leads to the next, except that a forbidden address ends the search.
 *
 * @param read throws {@link UnusableDocument}; any other error makes the document malformed.
 * @returns the document, if any, and a fault for each location before it.
 * @throws {ForbiddenUrl}
 */
export async function readFirstUsable<T>(
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
    return { kind: 'unavailable', description: 'could not be reached', cause }
  }
  const body = await response.text()
  if (response.status !== 200) return faultOf(response, body)
  try {
    return { document: read(JSON.parse(body)) }
  } catch (cause) {
    if (cause instanceof UnusableDocument) return { kind: 'unusable', description: cause.message, cause }
    return { kind: 'malformed', description: 'is malformed', cause }
  }
}

function faultOf(response: Response, body: string): Omit<Fault, 'location'> {
  const { status, headers } = response
  if (isBotChallenge(response, body)) {
    return {
      kind: 'unavailable',
      description: `answered ${status} with a bot check`,
      retryAfterSeconds: retryAfter(headers),
    }
  }
  if (status >= 500 || TRANSIENT_STATUSES.has(status)) {
    return { kind: 'unavailable', description: `answered ${status}`, retryAfterSeconds: retryAfter(headers) }
  }
  return { kind: status < 300 ? 'malformed' : 'refused', description: `answered ${status}`, status }
}

/** Request Timeout, Too Early, Too Many Requests: temporary, whatever the document. */
const TRANSIENT_STATUSES = new Set([408, 425, 429])

/** A challenge for browsers from a CDN (Cloudflare and others), which did not forward the request to the server. */
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
 * The failure for a search without a usable document. Unavailability takes precedence, since an unavailable document may be the right one.
 *
 * @param what the server whose metadata were read.
 * @param remedy what the operator can do if the server does not change.
 */
export function notFound(what: string, faults: readonly Fault[], remedy: string): Failure {
  const tried = faults.map(({ location, description }) => `${location.name} ${description}`).join('; ')
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
  return new Failure('authorization_refused', `${what} ${verdictOn(faults)}: ${tried}. ${remedy}`, options)
}

function verdictOn(faults: readonly Fault[]): string {
  if (faults.every(({ status }) => status === 404 || status === 410)) return 'publishes no metadata'
  const isRefusal = faults.every(({ kind }) => kind === 'refused')
  return isRefusal ? 'refuses to give its metadata' : 'gives no metadata that can be used'
}
