import { createHash, randomBytes } from 'node:crypto'
import type { UserClient } from '@/test/support/user.ts'

/** What a client has to know of the authorization server, as it finds it. */
export interface AuthorizationServer {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly registration_endpoint: string
  readonly revocation_endpoint: string
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly scope: string
}

export const REDIRECT = 'http://127.0.0.1:33418/callback'

export async function metadataOf(webUrl: string): Promise<AuthorizationServer> {
  return (
    await fetch(`${webUrl}/.well-known/oauth-authorization-server/api/auth`)
  ).json() as Promise<AuthorizationServer>
}

/** A client as one that speaks plain HTTP, for what well-behaved clients never do. */
export interface RawClient {
  readonly clientId: string
  readonly server: AuthorizationServer
  readonly verifier: string
  /** The address that the user's browser is sent to; `changes` replaces parameters, null leaves one out. */
  authorizeUrl(resource: string, changes?: Record<string, string | null>): string
  token(form: Record<string, string>): Promise<Response>
  redeem(code: string, changes?: Record<string, string | null>): Promise<Response>
  refresh(refreshToken: string, more?: Record<string, string>): Promise<Response>
}

export async function registerClient(webUrl: string, metadata: Record<string, unknown> = {}): Promise<RawClient> {
  const server = await metadataOf(webUrl)
  const registered = await fetch(server.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Raw client',
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  })
  if (registered.status !== 201)
    throw new Error(`registering answered ${registered.status}: ${await registered.text()}`)
  const { client_id: clientId } = (await registered.json()) as { client_id: string }
  return rawClient(server, clientId)
}

/** A client that does not register: its id is the address of the document that describes it. */
export const describedClient = async (webUrl: string, clientId: string): Promise<RawClient> =>
  rawClient(await metadataOf(webUrl), clientId)

function rawClient(server: AuthorizationServer, clientId: string): RawClient {
  const verifier = randomBytes(32).toString('base64url')
  const token = (form: Record<string, string>) =>
    fetch(server.token_endpoint, { method: 'POST', body: new URLSearchParams({ client_id: clientId, ...form }) })
  const without = (given: Record<string, string | null>) =>
    Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
  return {
    clientId,
    server,
    verifier,
    authorizeUrl: (resource, changes = {}) =>
      `${server.authorization_endpoint}?${new URLSearchParams(
        without({
          response_type: 'code',
          client_id: clientId,
          redirect_uri: REDIRECT,
          state: 'state-of-the-client',
          scope: 'notion:read notion:write',
          resource,
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
          ...changes,
        }),
      )}`,
    token,
    redeem: (code, changes = {}) =>
      token(
        without({
          grant_type: 'authorization_code',
          code,
          redirect_uri: REDIRECT,
          code_verifier: verifier,
          ...changes,
        }),
      ),
    refresh: (refreshToken, more = {}) => token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...more }),
  }
}

/** Opens an authorization request in the user's browser, as far as it goes by itself. */
export async function open(user: UserClient, authorizeUrl: string): Promise<URL> {
  const { pathname, search, origin } = new URL(authorizeUrl)
  const answer = await user.fetch(pathname + search, { origin: null })
  const location = answer.headers.get('location')
  if (!location) throw new Error(`the authorization request answered ${answer.status}: ${await answer.text()}`)
  return new URL(location, origin)
}

export type Answer = { allow: false } | { allow: true; spaceId: string; scope: 'notion:read' | 'notion:write' }

/** Says yes or no on the consent page, and answers where the browser goes next. */
export async function decide(user: UserClient, page: URL, answer: Answer): Promise<URL> {
  const decided = await user.post('/api/oauth/consent', { ...answer, request: page.search.slice(1) })
  const body = (await decided.json()) as { location?: string; detail?: string }
  if (!body.location) throw new Error(`the consent page answered ${decided.status}: ${body.detail}`)
  return new URL(body.location)
}

/** A whole log-in, up to the tokens. */
export async function logIn(
  user: UserClient,
  client: RawClient,
  resource: string,
  {
    spaceId = user.spaceId,
    scope = 'notion:write' as const,
  }: { spaceId?: string; scope?: 'notion:read' | 'notion:write' } = {},
): Promise<Tokens> {
  const page = await open(user, client.authorizeUrl(resource))
  const back = await decide(user, page, { allow: true, spaceId, scope })
  const answer = await client.redeem(back.searchParams.get('code') ?? '')
  if (!answer.ok) throw new Error(`redeeming answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as Tokens
}
