/**
 * Clients that are not registered: their id is the address of a document that describes them
 * ([Client ID Metadata Documents](https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/)).
 */
import { ClientId } from '@nmg/contract'
import { z } from 'zod'
import { Failure } from '../lib/failure.ts'
import { clientRegistration, PLAIN, type ClientRegistration } from './client-registration.ts'

/** Reasons to reject a metadata document. The error page has a message for each. */
export const documentFaults = [
  /** The client's id is not a valid document URL. */
  'document_address',
  /** The URL points into a private network. */
  'document_private',
  /** The server does not respond, or not now. */
  'document_unreachable',
  /** The response is not a metadata document. */
  'document_invalid',
  /** It is the document of a client with another id. */
  'document_of_another',
  /** It contains unacceptable redirect URIs. */
  'document_redirects',
  /** It requires client authentication; a secret in a public document is none. */
  'document_secret',
  /** Too many documents are being fetched. */
  'document_later',
] as const
export type DocumentFault = (typeof documentFaults)[number]

export const documentFailure = (fault: DocumentFault, options?: ErrorOptions) =>
  new Failure<DocumentFault>(fault, fault, options)

/** True if the client id is a URL; ids issued here contain no colon. */
export const isDocumentClient = (clientId: string): boolean => /^https?:/i.test(clientId)

/** The host of the client's document, which is all that is proven about the client; undefined for one that registered. */
export const documentHost = (clientId: string): string | undefined =>
  isDocumentClient(clientId) && URL.canParse(clientId) ? new URL(clientId).host : undefined

/**
 * The address of a client's document. It must be written as browsers write it: without `.` and `..`, capital letters in the host, or numbers that
 * mean an address. What two programs might read differently is none.
 *
 * @throws {Failure} with a {@link DocumentFault}
 */
export function documentUrl(clientId: string): URL {
  if (!ClientId.safeParse(clientId).success || !URL.canParse(clientId)) throw documentFailure('document_address')
  const url = new URL(clientId)
  const isSafe = url.protocol === 'https:' || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(clientId)
  const isPlain = url.href === clientId && !/[#\\]|\?$/.test(clientId) && !url.username && !url.password
  if (!isSafe || !isPlain || url.pathname === '/') throw documentFailure('document_address')
  return url
}

const plain = z
  .unknown()
  .optional()
  .refine((value) => typeof value !== 'string' || PLAIN.test(value))
const Identity = z.looseObject({
  client_id: z.string(),
  token_endpoint_auth_method: z.string().default('none'),
  client_name: z.string().nullish(),
  software_id: plain,
  software_version: plain,
})

/**
 * What a document says of its client; by the rules for clients that register, and always without a secret.
 *
 * @throws {Failure} with a {@link DocumentFault}
 */
export function clientDocument(url: URL, content: unknown): ClientRegistration {
  const { success, data } = Identity.safeParse(content)
  if (!success) throw documentFailure('document_invalid')
  if (data.client_id !== url.href) throw documentFailure('document_of_another')
  if (data.token_endpoint_auth_method !== 'none' || 'client_secret' in data) {
    throw documentFailure('document_secret')
  }
  const registration = clientRegistration({ ...data, token_endpoint_auth_method: 'none' })
  // The publisher can correct the document, so reject it instead of dropping invalid parts.
  const named = new Set(Array.isArray(data['redirect_uris']) ? data['redirect_uris'] : [])
  if (!('error' in registration) && registration.redirectUris.length < named.size)
    throw documentFailure('document_redirects')
  if (!('error' in registration)) return registration
  throw documentFailure(registration.error === 'invalid_redirect_uri' ? 'document_redirects' : 'document_invalid')
}

const SHORTEST_SECONDS = 5 * 60
const LONGEST_SECONDS = 24 * 3600

/** Cache lifetime of a document: as its server allows, within bounds. */
export function freshSeconds(cacheControl: string | null): number {
  const [, maxAge = '0'] = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(cacheControl ?? '') ?? []
  const isKept = !/(?:^|[\s,])no-(?:store|cache)\b/i.test(cacheControl ?? '')
  return isKept ? Math.min(Math.max(Number(maxAge), SHORTEST_SECONDS), LONGEST_SECONDS) : SHORTEST_SECONDS
}
