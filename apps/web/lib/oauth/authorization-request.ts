import { whyNotRedirect } from './client-registration.ts'
import { resourceOf, type Resource } from './resources.ts'
import { notionScopes, OFFLINE } from './scopes.ts'

/** What of an authorization request counts here. The rest of OAuth and OpenID Connect is not offered, and dropped. */
const PARAMETERS = [
  'response_type',
  'client_id',
  'redirect_uri',
  'state',
  'resource',
  'code_challenge',
  'code_challenge_method',
] as const

/** Stands for a resource that nobody named: the refusal goes back to the client by the ordinary way. */
const NO_RESOURCE = 'urn:none'

/**
 * An authorization request as it is handed on. Of scopes those that exist, always with a refresh token, because clients do not know to ask
 * for it; and every request asks the person: anybody on a machine can pretend to be a client that has no secret
 * ([RFC 8252 §8.6](https://www.rfc-editor.org/rfc/rfc8252#section-8.6)).
 */
export function authorizationRequest(
  asked: URLSearchParams,
  gatewayPublicUrl: string,
): { query: URLSearchParams; resource: Resource | undefined } {
  const query = new URLSearchParams()
  for (const name of PARAMETERS) for (const value of asked.getAll(name)) query.append(name, value)
  query.set('scope', [...notionScopes(asked.get('scope')), OFFLINE].join(' '))
  if (asked.get('prompt')?.split(' ').includes('none')) query.set('prompt', 'none')

  const [only = NO_RESOURCE, ...others] = asked.getAll('resource')
  const resource = others.length === 0 ? resourceOf(gatewayPublicUrl, only) : undefined
  // One token is for one space, so several endpoints at once are none.
  if (!resource) query.set('resource', others.length === 0 ? only : NO_RESOURCE)
  return { query, resource }
}

/** Whether there is any use in finding out about the client: it could be answered, and with a code. */
export function isComplete(query: URLSearchParams, resource: Resource | undefined): boolean {
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
