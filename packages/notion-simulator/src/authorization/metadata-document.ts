import type { State } from '../state.ts'
import type { Client } from './clients.ts'

const MAX_BYTES = 5 * 1024
const DEADLINE_MS = 10_000

/**
 * Finds the client of a `client_id`: a registration or, for an https URL with a path, its Client ID Metadata Document. As upstream, a document
 * that cannot be fetched or is invalid counts as an unknown client.
 */
export async function findClient(state: State, id: string): Promise<Client | undefined> {
  const registered = state.clients.find(id)
  if (registered || !state.options.metadata.clientIdMetadataDocuments || !isDocumentUrl(id)) return registered
  try {
    return clientFrom(await fetchDocument(id), id, state.clock.now())
  } catch {
    return undefined
  }
}

/** True if a `client_id` is the URL of a metadata document: https, with a path, without fragment and credentials. */
export function isDocumentUrl(id: string): boolean {
  if (!URL.canParse(id)) return false
  const url = new URL(id)
  return url.protocol === 'https:' && url.pathname !== '/' && !url.hash && !url.username && !url.password
}

async function fetchDocument(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(DEADLINE_MS),
  })
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`)
  let size = 0
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Error('Document too large')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

/** Validates a metadata document by the rules of upstream. */
export function clientFrom(document: unknown, url: string, now: number): Client | undefined {
  if (typeof document !== 'object' || document === null) return undefined
  const { client_id, client_name, client_uri, redirect_uris, token_endpoint_auth_method } = document as Record<
    string,
    unknown
  > // An object, by the line above.
  const isList = Array.isArray(redirect_uris) && redirect_uris.length > 0
  if (client_id !== url || typeof client_name !== 'string' || !client_name || !isList) return undefined
  if (!redirect_uris.every((uri): uri is string => typeof uri === 'string')) return undefined
  if (token_endpoint_auth_method !== undefined && token_endpoint_auth_method !== 'none') return undefined
  return {
    id: url,
    name: client_name,
    ...(typeof client_uri === 'string' && { uri: client_uri }),
    authMethod: 'none',
    isAuthMethodNamed: true,
    grantTypes: ['authorization_code', 'refresh_token'],
    responseTypes: ['code'],
    redirectUris: redirect_uris,
    registeredAt: now,
  }
}
