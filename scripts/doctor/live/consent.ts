/** The doctor's separate consent: client registration, redirect to this machine, and revocation. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StartupError, type GuardedFetch } from '../parts.ts'

/** The discovered endpoints that a consent needs. */
export interface Server {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly registrationEndpoint: string
  readonly revocationEndpoint: string | null
  readonly resource: string | null
}

/** A response with its JSON object, empty if there is none. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface Consent {
  readonly clientId: string
  readonly registration: Answer
  /** The parameters of the redirect, without the code. */
  readonly redirect: URLSearchParams
  readonly token: Answer
}

export interface Loopback {
  readonly redirectUri: string
  /** The parameters of the first redirect. Rejects when the signal fires. */
  redirected(signal: AbortSignal): Promise<URLSearchParams>
  close(): void
}

export async function listenForRedirect(): Promise<Loopback> {
  const server = createServer()
  const parameters = new Promise<URLSearchParams>((resolve) => {
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1')
      const isRedirect = request.method === 'GET' && url.pathname === '/callback'
      response.writeHead(isRedirect ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
      response.end(isRedirect ? 'Done. Close this window and return to the terminal.\n' : 'Nothing here.\n')
      if (isRedirect) resolve(url.searchParams)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    redirectUri: `http://127.0.0.1:${port}/callback`,
    redirected: async (signal) =>
      Promise.race([
        parameters,
        once(signal, 'abort').then(() => {
          throw new StartupError('The consent was not given in time. Nothing was changed.')
        }),
      ]),
    close: () => server.close(),
  }
}

/**
 * Registers a client, waits for the redirect, and redeems the code.
 *
 * @param showUrl gets the address to open.
 * @throws {StartupError} when a step is refused.
 */
export async function askConsent(
  server: Server,
  fetch: GuardedFetch,
  showUrl: (url: URL, redirectUri: string) => void,
  signal: AbortSignal,
): Promise<Consent> {
  const loopback = await listenForRedirect()
  try {
    const { redirectUri } = loopback
    const registration = await answerOf(
      fetch(server.registrationEndpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({
          client_name: 'Notion MCP Gateway doctor',
          redirect_uris: [redirectUri],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
        }),
      }),
    )
    const clientId = registration.body['client_id']
    if (typeof clientId !== 'string') throw refused('register a client', registration)
    const [state, verifier] = [randomBytes(24).toString('base64url'), randomBytes(32).toString('base64url')]
    const url = authorizationUrl(server, { clientId, redirectUri, state, verifier })
    showUrl(url, redirectUri)
    const redirect = await loopback.redirected(signal)
    if (redirect.get('state') !== state) throw new StartupError('The redirect does not belong to this consent.')
    const code = redirect.get('code')
    if (code === null) throw new StartupError(`The consent was refused (${plain(redirect.get('error'))}).`)
    redirect.delete('code')
    const token = await postForm(fetch, server.tokenEndpoint, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: clientId,
      code_verifier: verifier,
      ...resourceOf(server),
    })
    if (typeof token.body['access_token'] !== 'string') throw refused('redeem the code', token)
    return { clientId, registration, redirect, token }
  } finally {
    loopback.close()
  }
}

interface AuthorizationParameters {
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  readonly verifier: string
}

function authorizationUrl(server: Server, { clientId, redirectUri, state, verifier }: AuthorizationParameters): URL {
  const url = new URL(server.authorizationEndpoint)
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    prompt: 'consent',
    ...resourceOf(server),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}

export const resourceOf = ({ resource }: Server): Record<string, string> => (resource === null ? {} : { resource })

export const postForm = (fetch: GuardedFetch, url: string, form: Record<string, string>): Promise<Answer> =>
  answerOf(
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(form),
    }),
  )

async function answerOf(response: Promise<Response>): Promise<Answer> {
  const { status, text } = await response.then(async (answer) => ({ status: answer.status, text: await answer.text() }))
  return { status, body: objectIn(text) }
}

export function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const refused = (what: string, { status, body }: Answer) =>
  new StartupError(`The authorization server did not ${what} (status ${status}, ${plain(body['error'])}).`)

/** A short text from an untrusted party, in characters that are safe in a terminal. */
export function plain(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return 'no reason given'
  return value.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, 80)
}
