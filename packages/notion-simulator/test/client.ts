import { createHash, randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { startSimulator, type Simulator, type SimulatorOptions } from '../src/index.ts'

/** A fixed start time, so that dates in responses are known. */
export const START = new Date('2026-10-01T12:00:00Z')

/** Starts a simulator for one test, at a fixed time that only `advance` changes. */
export async function simulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const notion = await startSimulator({ clock: () => START, ...options })
  onTestFinished(() => notion.close())
  return notion
}

/** A server for the helpers below: the simulator or another one. */
export type Server = Pick<Simulator, 'url' | 'mcpUrl'>

export const REDIRECT_URI = 'http://localhost:4000/callback'

export type Json = Record<string, unknown>

export async function register(notion: Server, metadata: Json = {}): Promise<Json & { client_id: string }> {
  const response = await fetch(`${notion.url}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test client',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  })
  if (response.status !== 201) throw new Error(`Registration was refused: ${response.status} ${await response.text()}`)
  return (await response.json()) as Json & { client_id: string }
}

export type Pkce = { verifier: string; challenge: string }

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** The parameters of an authorization request; `null` removes one. */
export function authorizationParameters(
  notion: Server,
  clientId: string,
  challenge: string,
  changes: Record<string, string | null> = {},
): URLSearchParams {
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    state: 'state-of-the-client',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: notion.mcpUrl,
  })
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) parameters.delete(name)
    else parameters.set(name, value)
  }
  return parameters
}

/** Submits the consent form. */
export function submitConsent(notion: Server, parameters: URLSearchParams, consent: Json = {}): Promise<Response> {
  const form = new URLSearchParams(parameters)
  const fields = { decision: 'allow', user: 'ada', workspace: 'Acme', ...consent }
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value))
  return fetch(`${notion.url}/authorize`, { method: 'POST', body: form, redirect: 'manual' })
}

/** The target of a redirect. */
export function location(response: Response): URL {
  const target = response.headers.get('location')
  if (response.status !== 302 || target === null) throw new Error(`Not a redirect: ${response.status}`)
  return new URL(target)
}

export async function codeFor(
  notion: Server,
  clientId: string,
  challenge: string,
  changes: Record<string, string | null> = {},
  consent: Json = {},
): Promise<string> {
  const response = await submitConsent(notion, authorizationParameters(notion, clientId, challenge, changes), consent)
  const code = location(response).searchParams.get('code')
  if (!code) throw new Error(`No code: ${location(response).search}`)
  return code
}

/** Posts to the token endpoint; `null` removes a field. */
export function postToken(
  notion: Server,
  fields: Record<string, string | string[] | null>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    for (const item of [value].flat()) if (item !== null) body.append(name, item)
  }
  return fetch(`${notion.url}/token`, { method: 'POST', body, headers })
}

export type Tokens = { access_token: string; refresh_token: string; expires_in: number } & Json

/** A connection after registration, consent and code exchange. */
export type Connection = { clientId: string; tokens: Tokens }

export async function connect(
  notion: Server,
  consent: Json = {},
  clientId?: string,
  changes: Record<string, string | null> = {},
): Promise<Connection> {
  const id = clientId ?? (await register(notion)).client_id
  const { verifier, challenge } = pkce()
  const code = await codeFor(notion, id, challenge, changes, consent)
  const response = await postToken(notion, {
    grant_type: 'authorization_code',
    client_id: id,
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: verifier,
  })
  if (response.status !== 200) throw new Error(`No tokens: ${response.status} ${await response.text()}`)
  return { clientId: id, tokens: (await response.json()) as Tokens }
}

export function refresh(notion: Server, clientId: string, refreshToken: string, extra: Json = {}): Promise<Response> {
  const fields = { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken, ...extra }
  return postToken(notion, fields as Record<string, string>)
}

export async function refreshed(notion: Server, clientId: string, refreshToken: string): Promise<Tokens> {
  const response = await refresh(notion, clientId, refreshToken)
  if (response.status !== 200) throw new Error(`Refresh was refused: ${response.status} ${await response.text()}`)
  return (await response.json()) as Tokens
}

/** Status and OAuth error of a response. */
export async function errorOf(response: Response): Promise<{ status: number; error: unknown; description: unknown }> {
  const body = (await response.json()) as Json
  return { status: response.status, error: body['error'], description: body['error_description'] }
}

export const MCP_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** Posts one JSON-RPC message to the MCP endpoint. */
export function postMcp(
  notion: Server,
  accessToken: string | undefined,
  message: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(notion.mcpUrl, {
    method: 'POST',
    headers: {
      ...MCP_HEADERS,
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
      ...headers,
    },
    body: typeof message === 'string' ? message : JSON.stringify(message),
    ...(signal && { signal }),
  })
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}

export function toolCall(name: string, input: Json = {}, id = 7): Json {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input } }
}

/** The messages in an SSE or JSON response. */
export async function messagesOf(response: Response): Promise<Json[]> {
  const text = await response.text()
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return [JSON.parse(text) as Json]
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Json)
}

export type ToolResult = { content: { type: string; text: string }[]; isError?: boolean; structuredContent?: Json }

/** Calls a tool and returns its result. */
export async function toolResult(
  notion: Server,
  accessToken: string,
  name: string,
  input: Json = {},
): Promise<ToolResult> {
  const [message] = await messagesOf(await postMcp(notion, accessToken, toolCall(`notion-${name}`, input)))
  if (!message?.['result']) throw new Error(`No result: ${JSON.stringify(message)}`)
  return message['result'] as ToolResult
}

/** Calls a tool and returns the JSON of its result. */
export async function use(notion: Server, accessToken: string, name: string, input: Json = {}): Promise<Json> {
  const result = await toolResult(notion, accessToken, name, input)
  const text = result.content[0]?.text ?? ''
  if (result.isError) throw new Error(`The tool refused: ${text}`)
  return JSON.parse(text) as Json
}

/** Calls a tool and returns its error: REST code, status and message. */
export async function toolRefusal(
  notion: Server,
  accessToken: string,
  name: string,
  input: Json = {},
): Promise<{ code: unknown; status: unknown; message: string }> {
  const result = await toolResult(notion, accessToken, name, input)
  if (!result.isError) throw new Error(`The tool did it: ${result.content[0]?.text}`)
  const error = JSON.parse(result.content[0]?.text ?? '') as Json
  const body = JSON.parse(String(error['body'])) as Json
  return { code: error['code'], status: error['status'], message: String(body['message']) }
}
