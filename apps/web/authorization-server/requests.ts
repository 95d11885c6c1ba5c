/**
 * Requests of clients, reduced to what counts here before the library reads them. Logins and refreshes are judged by the same function, so
 * that a client which could log in with some `scope` and `resource` can refresh with them as well.
 */
import { whyNotRedirect } from './redirect-uris.ts'
import { resourceOf, type Resource } from './resources.ts'
import { notionScopes, OFFLINE, requestedScopes } from './scopes.ts'

/** The parameters of an authorization request that are passed on. OpenID Connect and OAuth's extensions are not offered. */
const AUTHORIZATION = ['response_type', 'client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method']

/** `resource` of a request ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)). Empty values count as absent, repeated ones once. */
export type RequestedResource =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly resource: Resource }
  /** Not an endpoint of the gateway, or several: one token is for one space. */
  | { readonly kind: 'refused' }

export function requestedResource(parameters: URLSearchParams, gatewayPublicUrl: string): RequestedResource {
  const [only, ...others] = new Set(parameters.getAll('resource').filter((value) => value !== ''))
  if (only === undefined) return { kind: 'none' }
  const resource = others.length === 0 ? resourceOf(gatewayPublicUrl, only) : undefined
  return resource ? { kind: 'one', resource } : { kind: 'refused' }
}

export interface AuthorizationRequest {
  /** What is passed on. Its resource is absent unless it is an endpoint of the gateway. */
  readonly query: URLSearchParams
  readonly resource: Resource | undefined
}

/**
 * An authorization request with the scopes that exist, and always with a refresh token, because clients do not know to ask for it. Every
 * request asks the user: any program can pretend to be a client without a secret
 * ([RFC 8252 §8.6](https://www.rfc-editor.org/rfc/rfc8252#section-8.6)).
 */
export function authorizationRequest(asked: URLSearchParams, gatewayPublicUrl: string): AuthorizationRequest {
  const query = new URLSearchParams()
  for (const name of AUTHORIZATION) for (const value of asked.getAll(name)) query.append(name, value)
  query.set('scope', [...notionScopes(asked.get('scope')), OFFLINE].join(' '))
  if (asked.get('prompt')?.split(' ').includes('none')) query.set('prompt', 'none')
  const requested = requestedResource(asked, gatewayPublicUrl)
  if (requested.kind !== 'one') return { query, resource: undefined }
  query.set('resource', requested.resource.url)
  return { query, resource: requested.resource }
}

/** Whether it is worth to find out about the client: the request could be answered, and with a code. */
export function isComplete({ query, resource }: AuthorizationRequest): boolean {
  const isOnce = (name: string) => query.getAll(name).length === 1
  return (
    resource !== undefined &&
    ['client_id', 'redirect_uri', 'response_type', 'code_challenge', 'code_challenge_method'].every(isOnce) &&
    whyNotRedirect(query.get('redirect_uri') ?? '') === undefined &&
    query.get('response_type') === 'code' &&
    query.get('code_challenge_method') === 'S256' &&
    /^[\w-]{43}$/.test(query.get('code_challenge') ?? '')
  )
}

/**
 * The form of a token request, with `scope` and `resource` as a login would take them: without words that mean nothing here, and absent when
 * nothing is left. A resource that is refused stays, for the library to refuse.
 */
export function tokenRequest(form: URLSearchParams, gatewayPublicUrl: string): URLSearchParams {
  const read = new URLSearchParams(form)
  read.delete('scope')
  const scopes = requestedScopes(form.getAll('scope').join(' '))
  if (scopes) read.set('scope', [...scopes, OFFLINE].join(' '))
  const requested = requestedResource(form, gatewayPublicUrl)
  if (requested.kind === 'refused') return read
  read.delete('resource')
  if (requested.kind === 'one') read.set('resource', requested.resource.url)
  return read
}
