/**
 * Sends the same requests to the simulator and to `@cloudflare/workers-oauth-provider`, the library of Notion's server. Status and OAuth error must be
 * equal, except for deliberate differences.
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { startSimulator, type Simulator } from '../../src/index.ts'
import {
  authorizationParameters,
  type Json,
  location,
  pkce,
  postToken,
  REDIRECT_URI,
  type Server,
  type Tokens,
} from '../client.ts'
import { startWorkersOAuthProvider, type WorkersOAuthProvider } from '../workers-oauth-provider.ts'

let library: WorkersOAuthProvider
let simulator: Simulator
beforeAll(async () => {
  library = await startWorkersOAuthProvider()
  simulator = await startSimulator({ options: { autoApprove: true } })
})
afterAll(async () => {
  await library.close()
  await simulator.close()
})

/** Status and OAuth error; for an authorization request, the error in the redirect. */
export type Outcome = [status: number, error: string | null]

async function outcomeOf(response: Response): Promise<Outcome> {
  const target = response.headers.get('location')
  if (target !== null) return [response.status, new URL(target).searchParams.get('error')]
  const body = await response.text()
  try {
    return [response.status, (JSON.parse(body) as { error?: string }).error ?? null]
  } catch {
    return [response.status, null]
  }
}

/** The responses of both. */
export async function onBoth(
  ask: (server: Server) => Promise<Response>,
): Promise<{ library: Outcome; simulator: Outcome }> {
  return { library: await outcomeOf(await ask(library)), simulator: await outcomeOf(await ask(simulator)) }
}

/**
 * Sends the request to both and compares the responses.
 *
 * @param ours the expectation for the simulator, if it deliberately differs.
 */
export async function compare(
  ask: (server: Server) => Promise<Response>,
  expected: Outcome,
  ours: Outcome = expected,
): Promise<void> {
  expect(await onBoth(ask)).toEqual({ library: expected, simulator: ours })
}

export const GRANTED: Outcome = [200, null]
export const BAD_CLIENT: Outcome = [401, 'invalid_client']
export const BAD_REQUEST: Outcome = [400, 'invalid_request']
export const BAD_GRANT: Outcome = [400, 'invalid_grant']
export const BAD_TARGET: Outcome = [400, 'invalid_target']

export const registration = (server: Server, metadata: Json) =>
  fetch(`${server.url}/register`, {
    method: 'POST',
    body: JSON.stringify({ redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none', ...metadata }),
  })

export type Client = { client_id: string; client_secret: string }

/** Registers a client, a public one by default. */
export async function clientOf(server: Server, metadata: Json = {}): Promise<Client> {
  return (await (await registration(server, metadata)).json()) as Client
}

export type Parameters = Record<string, string | null>
export type Fields = Record<string, string | string[] | null>

export const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

/** A code, and the parameters for its exchange. */
export async function codeOf(server: Server, client: Client, changes: Parameters = {}): Promise<Fields> {
  const { verifier, challenge } = pkce()
  const query = authorizationParameters(server, client.client_id, challenge, changes)
  const response = await fetch(`${server.url}/authorize?${query}`, { redirect: 'manual' })
  const code = location(response).searchParams.get('code')
  return {
    grant_type: 'authorization_code',
    client_id: client.client_id,
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: verifier,
  }
}

export type Connected = { client_id: string; tokens: Tokens }

export async function connected(server: Server): Promise<Connected> {
  const client = await clientOf(server)
  const response = await postToken(server, await codeOf(server, client))
  return { client_id: client.client_id, tokens: (await response.json()) as Tokens }
}

export const refreshWith = (server: Server, { client_id, tokens }: Connected, fields: Fields = {}) =>
  postToken(server, { grant_type: 'refresh_token', client_id, refresh_token: tokens.refresh_token, ...fields })
