import { failureWith } from '../lib/failure.ts'
import { documentFaults, documentUrl, isDocumentClient } from './client-document.ts'
import type { DocumentResolver } from './document-resolver.ts'
import { isComplete, type AuthorizationRequest } from './requests.ts'

export interface EnsureClientOptions {
  /** Undefined if metadata documents are disabled. */
  readonly documents: DocumentResolver | undefined
  /** The user of the request; undefined without a session. */
  readonly userOf: (headers: Headers) => Promise<string | undefined>
}

/**
 * Where people are told of requests that are not answered to the client at once.
 *
 * @param asked the request, where the user may go on to the client with the error.
 */
export function errorPage(error: string, asked?: URLSearchParams): string {
  const page = new URLSearchParams({ error })
  for (const name of ['client_id', 'redirect_uri', 'state']) {
    const value = asked?.get(name)
    if (value) page.set(name, value)
  }
  return `/oauth/error?${page}`
}

/**
 * Sees to it that a client which names the address of a document is known before its request is looked at. A document is asked for only for
 * a request that could succeed, of somebody who is signed in: whoever is not does so first, and comes back.
 *
 * @returns where the browser has to go instead; undefined when nothing stands in the way of the request.
 */
export function ensureClient({ documents, userOf }: EnsureClientOptions) {
  return async (headers: Headers, path: string, request: AuthorizationRequest) => {
    const { query } = request
    const clientId = query.get('client_id') ?? ''
    if (!isDocumentClient(clientId)) return undefined
    if (!documents) return errorPage('document_not_offered')
    try {
      const url = documentUrl(clientId)
      if (await documents.isKnown(clientId)) return undefined
      if (!isComplete(request) || !isNavigation(headers)) return errorPage('invalid_request')
      const userId = await userOf(headers)
      if (userId === undefined) {
        return `/sign-in?${new URLSearchParams({ next: `${path}?${query}` })}`
      }
      await documents.read(url, userId)
      return undefined
    } catch (error) {
      const failure = failureWith(error, documentFaults)
      if (failure) return errorPage(failure.code)
      throw error
    }
  }
}

/** True for a top-level navigation: no subresource and no prefetch. */
const isNavigation = (headers: Headers): boolean =>
  headers.get('sec-fetch-mode') !== 'no-cors' && !headers.has('sec-purpose')
