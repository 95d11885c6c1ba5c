/**
 * Examines Notion's behavior where its documentation is silent, with a separate consent. It never uses the connection of a space: the client is
 * registered for this run, and its grant is revoked at the end. Verified against the Notion simulator only.
 */
import product from '../../package.json' with { type: 'json' }
import { readInstallation, type Environments, type Gateway } from './installation.ts'
import { askConsent, objectIn, postForm, resourceOf, type Consent, type Server } from './live/consent.ts'
import {
  aboutCall,
  aboutInitialize,
  aboutRedirect,
  aboutRefresh,
  aboutRegistration,
  aboutTokens,
  aboutTools,
  asTable,
  endedEarly,
  NOT_WALKED,
  type McpAnswer,
  type Row,
} from './live/observations.ts'
import {
  Failure,
  guardedFetches,
  isLoopback,
  oauthServer,
  oauthSettings,
  createSsrfGuard,
  StartupError,
  type Config,
  type GuardedFetch,
} from './parts.ts'

const CONSENT_MS = 10 * 60_000
/** A stream that has not ended by then counts as permanent. */
const STREAM_MS = 2_000

/** @returns the exit code: 1 when the grant could not be revoked. @throws {StartupError} */
export async function live(environments: Environments, { json }: { json: boolean }): Promise<number> {
  const { config } = await gatewayIn(environments)
  const server = await discovered(config)
  const fetches = guardedFetches(
    createSsrfGuard({
      alsoAllow: isLoopback(config.NOTION_MCP_SERVER_URL)
        ? ['private', 'loopback']
        : config.NOTION_MCP_PRIVATE_NETWORK
          ? ['private']
          : [],
      trustedOrigins: [config.NOTION_MCP_SERVER_URL.origin],
    }),
    config.proxies,
  )
  const consent = await askConsent(server, fetches(), showUrl, AbortSignal.timeout(CONSENT_MS))
  // From here on there is a grant to revoke.
  process.on('SIGINT', () => process.stderr.write('Revoking the consent first. This takes some seconds.\n'))
  const { rows, isRevoked } = await walk({
    config,
    server,
    consent,
    fetch: fetches(),
    fetchStream: fetches({ timeoutMs: STREAM_MS }),
  })
  const host = config.NOTION_MCP_SERVER_URL.host
  process.stdout.write(
    json
      ? `${JSON.stringify({ release: product.version, server: host, isRevoked, rows }, undefined, 2)}\n`
      : `${asTable(rows)}\n\nNotion MCP Gateway ${product.version}, ${host}. ${isRevoked ? 'The consent was revoked.' : 'The consent could NOT be revoked: remove “Notion MCP Gateway doctor” in Notion, under Settings → Connections.'}\n`,
  )
  return isRevoked ? 0 : 1
}

async function gatewayIn(environments: Environments): Promise<Gateway> {
  const { installation, findings } = await readInstallation(environments)
  if ('known' in installation.gateway) return installation.gateway.known
  const wrong = findings.filter(({ status }) => status === 'error').map(({ title }) => title)
  throw new StartupError(wrong.join('\n') || `--live needs the gateway: ${installation.gateway.unknown}.`)
}

async function discovered(config: Config): Promise<Server> {
  try {
    const { registrationEndpoint, ...server } = await oauthServer(oauthSettings(config)).discover()
    if (registrationEndpoint === null) throw new StartupError('The authorization server registers no clients.')
    return { ...server, registrationEndpoint }
  } catch (cause) {
    throw cause instanceof Failure ? new StartupError(cause.message, { cause }) : cause
  }
}

/** On standard error: standard output belongs to the table. */
function showUrl(url: URL, redirectUri: string): void {
  const { port } = new URL(redirectUri)
  process.stderr.write(
    `This creates a separate consent for the test and revokes it at the end. Open within ten minutes, in a browser on this machine:\n\n${url.href}\n\n` +
      `Without a browser on this machine, first run on yours: ssh -L ${port}:127.0.0.1:${port} <this machine>\n`,
  )
}

interface Walk {
  readonly config: Config
  readonly server: Server
  readonly consent: Consent
  readonly fetch: GuardedFetch
  readonly fetchStream: GuardedFetch
}

async function walk({
  config,
  server,
  consent,
  fetch,
  fetchStream,
}: Walk): Promise<{ rows: Row[]; isRevoked: boolean }> {
  const { clientId, registration, redirect, token } = consent
  const rows = [
    ...aboutTokens(token),
    ...aboutRegistration(registration),
    aboutRedirect(redirect, server.issuer),
    ...NOT_WALKED,
  ]
  let refreshToken = textOf(token.body['refresh_token'])
  let accessToken = textOf(token.body['access_token']) ?? ''
  const refresh = async (question: number, subject: string, presented: string, resource: Record<string, string>) => {
    const form = { grant_type: 'refresh_token', refresh_token: presented, client_id: clientId, ...resource }
    const answer = await postForm(fetch, server.tokenEndpoint, form)
    rows.push(aboutRefresh(question, subject, answer))
    refreshToken = textOf(answer.body['refresh_token']) ?? refreshToken
    accessToken = textOf(answer.body['access_token']) ?? accessToken
  }
  try {
    rows.push(...(await mcpRows(config.NOTION_MCP_SERVER_URL, accessToken, fetch, fetchStream)))
    if (refreshToken !== undefined) await refresh(9, 'refresh without resource', refreshToken, {})
    const previous = refreshToken
    if (previous !== undefined) {
      await refresh(3, 'refresh', previous, resourceOf(server))
      await refresh(3, 'the same refresh token once more, at once', previous, resourceOf(server))
    }
  } catch (cause) {
    rows.push(endedEarly(cause))
  }
  return { rows, isRevoked: await revoke(server, clientId, refreshToken ?? accessToken, fetch) }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const CLIENT_INFO = { name: 'notion-mcp-gateway-doctor', version: product.version }
const PROTOCOL = '2025-06-18'

/** Reads only: none of these calls changes anything in the workspace. */
async function mcpRows(
  endpoint: URL,
  accessToken: string,
  fetch: GuardedFetch,
  fetchStream: GuardedFetch,
): Promise<Row[]> {
  const headers = {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
  }
  const call = async (method: string, params: object, more: Record<string, string> = {}) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const response = await fetch(endpoint.href, { method: 'POST', headers: { ...headers, ...more }, body })
    return { answer: await answerOf(response), session: response.headers.get('mcp-session-id') }
  }
  const get = (url: URL) =>
    fetchStream(url.href, { headers: { ...headers, accept: 'text/event-stream' } }).then(answerOf, (error: unknown) => {
      if (error instanceof Error && error.name === 'TimeoutError')
        return { status: undefined, hasSession: false, message: {} }
      throw error
    })
  const initialize = await call('initialize', { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: CLIENT_INFO })
  const session = {
    'mcp-protocol-version': PROTOCOL,
    ...(initialize.session !== null && { 'mcp-session-id': initialize.session }),
  }
  const tools = await call('tools/list', {}, session)
  const discover = await call('server/discover', {}, session)
  return [
    ...aboutInitialize(initialize.answer),
    ...aboutTools(tools.answer),
    aboutCall(6, 'server/discover', discover.answer),
    aboutCall(6, 'GET', await get(endpoint)),
    aboutCall(10, 'GET /sse', await get(new URL('/sse', endpoint))),
  ]
}

async function answerOf(response: Response): Promise<McpAnswer> {
  const text = await response.text()
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const json = isStream ? (/^data: ?(\{.*\})$/m.exec(text)?.[1] ?? '') : text
  return { status: response.status, hasSession: response.headers.has('mcp-session-id'), message: objectIn(json) }
}

/** RFC 7009. Revoking the refresh token ends the whole grant. */
async function revoke(server: Server, clientId: string, token: string, fetch: GuardedFetch): Promise<boolean> {
  if (server.revocationEndpoint === null) return false
  try {
    const { status } = await postForm(fetch, server.revocationEndpoint, { token, client_id: clientId })
    return status === 200
  } catch {
    return false
  }
}
