import { randomBytes } from 'node:crypto'
import { proxiesFrom, proxySettings, type Proxies } from '@nmg/outbound'
import { generatedSecret, readSettings, StartupError, type Environment } from '@nmg/process'
import { z } from 'zod'
import type { CredentialKey } from './connections/keys/aes-vault.ts'
import type { AuthorizationServerSettings } from './connections/oauth/authorization-server.ts'
import type { TrustedIssuer } from './clients/jwt-verifier.ts'
import { clientSettings, webAppIssuer } from './clients/settings.ts'
import { DEFAULT_LIMITS } from './proxy/admission.ts'
import type { ClientRegistration } from './connections/credential.ts'
import { Secret } from './platform/secret.ts'

const seconds = (fallback: number, least = 1) => z.coerce.number().int().min(least).max(86_400).default(fallback)
const count = (fallback: number) => z.coerce.number().int().min(1).max(1_000_000).default(fallback)
const webUrl = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine(({ username, password }) => username === '' && password === '', 'must not hold a user name or password')
const secret = z.string().transform((text) => new Secret(text))

/** `kid:base64(32 bytes)`, comma-separated. */
const credentialKeys = z.string().transform((text, context): CredentialKey[] => {
  const keys = text.split(',').map((entry): CredentialKey => {
    const [, kid = '', base64 = ''] = /^\s*([\w.-]{1,64}):([\w+/=-]+)\s*$/.exec(entry) ?? []
    return { kid, key: Buffer.from(base64, 'base64') }
  })
  if (keys.some(({ kid, key }) => kid === '' || key.length !== 32)) {
    context.addIssue({ code: 'custom', message: 'must be <name>:<32 bytes in base64>, several separated by commas' })
  } else if (new Set(keys.map(({ kid }) => kid)).size !== keys.length) {
    context.addIssue({ code: 'custom', message: 'names the same key twice' })
  }
  return keys
})

const serviceTokens = z.string().transform((text, context): Secret[] => {
  const tokens = text.split(',').map((token) => token.trim())
  if (tokens.some((token) => token === '' || /\s/.test(token))) {
    context.addIssue({ code: 'custom', message: 'must be tokens without spaces, several separated by commas' })
  }
  return tokens.map((token) => new Secret(token))
})

const authMethods = ['none', 'client_secret_basic', 'client_secret_post'] as const

/** The settings by their names in the environment, as contract.md lists them. */
export const Settings = z
  .object({
    /** Where the gateway listens. */
    PORT: z.coerce.number().int().min(0).max(65_535).default(8000),
    HOST: z.string().default('127.0.0.1'),
    /** How many processes share the port. One uses one processor; each is a replica of its own, with its own limits. */
    WORKERS: z.coerce.number().int().min(1).max(256).default(1),
    /** The upstream MCP endpoint; everything else is discovered from it. */
    NOTION_MCP_SERVER_URL: webUrl.default(new URL('https://mcp.notion.com/mcp')),
    NOTION_MCP_AUTHORIZE_ENDPOINT: webUrl.optional(),
    NOTION_MCP_TOKEN_ENDPOINT: webUrl.optional(),
    NOTION_MCP_REGISTRATION_ENDPOINT: webUrl.optional(),
    NOTION_MCP_REVOCATION_ENDPOINT: webUrl.optional(),
    /** What the MCP server names may be in a private network (10.x, 172.16.x, 192.168.x, 100.64.x, fd…). Otherwise nothing is sent there. */
    NOTION_MCP_PRIVATE_NETWORK: z
      .enum(['true', 'false'], 'must be true or false')
      .default('false')
      .transform((value) => value === 'true'),
    /** A fixed client registration. Without it the gateway registers itself, once for each connection. */
    NOTION_MCP_CLIENT_ID: z.string().optional(),
    NOTION_MCP_CLIENT_SECRET: secret.optional(),
    /** Shown on Notion's consent page. */
    NOTION_MCP_CLIENT_NAME: z.string().max(200).default('Notion MCP Gateway'),
    NOTION_MCP_TOKEN_AUTH_METHOD: z.enum(authMethods).optional(),
    /** A published document that describes this gateway as a client; its address is the client id where the server takes that. */
    NOTION_MCP_CLIENT_METADATA_URL: z
      .url({ protocol: /^https$/ })
      .transform((text) => new URL(text))
      .refine(
        ({ pathname, hash, username, password }) => pathname !== '/' && !hash && !username && !password,
        'must have a path, and neither a fragment nor a user name',
      )
      .optional(),
    /** The scope to ask for, in place of what the MCP server names. Notion names none but the one that it implies, so none is sent there. */
    NOTION_MCP_TOKEN_SCOPE: z.string().optional(),
    /** Where Notion sends the browser back to. Default: the callback on this machine's `PORT`. */
    NOTION_MCP_OAUTH_REDIRECT_URI: webUrl.optional(),
    /** The browser is sent back below this origin, and nowhere else. */
    NOTION_MCP_RETURN_BASE_URL: webUrl.default(new URL('http://localhost:3000')),
    /** Life of a pending authorization request. */
    NOTION_MCP_STATE_TTL_SECONDS: seconds(600),
    /** A call refreshes first when the access token ends within this. */
    NOTION_MCP_REFRESH_MARGIN_SECONDS: seconds(60, 0),
    /** Authenticates an application. All of several are accepted. */
    GATEWAY_SERVICE_TOKEN: serviceTokens.optional(),
    /** Keys that seal what is stored; the first seals, all open. */
    CREDENTIAL_KEYS: credentialKeys.optional(),
    /** PostgreSQL 14 or newer; embedded when left out. */
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    /** Connections to the database that each process keeps for statements, beside two that hold session state. */
    DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(1000).default(10),
    /** Redis 6 or newer, for pending authorization requests; in the database when left out. */
    REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
    /** How many days the history of a connection tells of refreshes. Consents, failures and disconnects stay. */
    EVENT_RETENTION_DAYS: z.coerce.number().int().min(1).max(36_500).default(30),
    LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    /** The largest request body that the proxy takes. */
    PROXY_MAX_BODY_BYTES: z.coerce
      .number()
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(4 * 1024 * 1024),
    /** Calls under way at once, in all and in one space; a few more wait in a queue, others get 503 at once. */
    PROXY_MAX_CALLS: count(DEFAULT_LIMITS.calls),
    PROXY_MAX_CALLS_PER_SPACE: count(DEFAULT_LIMITS.callsPerSpace),
    /** Streams open at once, in all and in one space. */
    PROXY_MAX_STREAMS: count(DEFAULT_LIMITS.streams),
    PROXY_MAX_STREAMS_PER_SPACE: count(DEFAULT_LIMITS.streamsPerSpace),
    /** How long upstream may take until the head of its answer. Notion gives a tool 55 seconds. */
    PROXY_HEAD_TIMEOUT_SECONDS: seconds(120),
    /** The age at which a stream is broken off, however alive it is; clients then reconnect. */
    PROXY_STREAM_MAX_AGE_SECONDS: seconds(4 * 3600),
    /** How long calls in flight may go on after SIGTERM. */
    SHUTDOWN_GRACE_SECONDS: seconds(20, 0),
    ...proxySettings,
    ...clientSettings,
  })
  .refine((given) => given.NOTION_MCP_CLIENT_ID !== undefined || given.NOTION_MCP_CLIENT_SECRET === undefined, {
    path: ['NOTION_MCP_CLIENT_ID'],
    error: 'must be set when NOTION_MCP_CLIENT_SECRET is',
    when: () => true,
  })
  .refine(
    ({ NOTION_MCP_TOKEN_AUTH_METHOD: method, NOTION_MCP_CLIENT_ID: id, NOTION_MCP_CLIENT_SECRET: clientSecret }) =>
      method === undefined || method === 'none' || id === undefined || clientSecret !== undefined,
    {
      path: ['NOTION_MCP_CLIENT_SECRET'],
      error: 'must be set for this NOTION_MCP_TOKEN_AUTH_METHOD',
      when: () => true,
    },
  )
  .refine((given) => given.DATABASE_URL === undefined || given.GATEWAY_SERVICE_TOKEN !== undefined, {
    path: ['GATEWAY_SERVICE_TOKEN'],
    error:
      'must be set together with DATABASE_URL, the same for the gateway and the application; make one with: openssl rand -hex 32',
    when: () => true,
  })
  .refine((given) => given.DATABASE_URL === undefined || given.CREDENTIAL_KEYS !== undefined, {
    path: ['CREDENTIAL_KEYS'],
    error: 'must be set together with DATABASE_URL; make one with: echo "key1:$(openssl rand -base64 32)"',
    when: () => true,
  })

export type Settings = z.infer<typeof Settings>

/** Settings that are whole: what may be generated has been. */
export interface Config extends Omit<Settings, 'GATEWAY_SERVICE_TOKEN' | 'CREDENTIAL_KEYS'> {
  readonly serviceTokens: readonly Secret[]
  readonly credentialKeys: readonly [CredentialKey, ...CredentialKey[]]
  readonly redirectUri: string
  readonly fixedClient: ClientRegistration | null
  readonly publicUrl: URL
  /** For the MCP server and what it names, and for the issuers of clients' tokens. */
  readonly proxies: Proxies
  readonly tokenIssuers: readonly TrustedIssuer[]
}

/**
 * @param dataFolder where secrets that were not given are generated into; only asked on the embedded database.
 * @throws {StartupError} that names every wrong setting.
 */
export function readConfig(env: Environment, dataFolder: () => string): Config {
  const settings = readSettings(Settings, env)
  const { PORT, NOTION_MCP_CLIENT_ID: clientId, NOTION_MCP_CLIENT_SECRET: clientSecret } = settings
  const authMethod = settings.NOTION_MCP_TOKEN_AUTH_METHOD ?? (clientSecret ? 'client_secret_basic' : 'none')
  const redirectUri =
    settings.NOTION_MCP_OAUTH_REDIRECT_URI?.href ?? `http://localhost:${PORT}/integrations/notion/mcp/oauth/callback`
  if (new URL(redirectUri).hash !== '')
    throw new StartupError('NOTION_MCP_OAUTH_REDIRECT_URI must not have a fragment (#…).')
  return {
    ...settings,
    serviceTokens: settings.GATEWAY_SERVICE_TOKEN ?? [
      new Secret(generatedSecret(dataFolder(), 'gateway-service-token', () => randomBytes(32).toString('hex'))),
    ],
    credentialKeys: atLeastOne(
      settings.CREDENTIAL_KEYS ??
        credentialKeys.parse(
          generatedSecret(dataFolder(), 'credential-keys', () => `key1:${randomBytes(32).toString('base64')}`),
        ),
    ),
    redirectUri,
    fixedClient: clientId === undefined ? null : { clientId, clientSecret: clientSecret ?? null, authMethod },
    publicUrl: settings.GATEWAY_PUBLIC_URL ?? new URL(`http://localhost:${PORT}`),
    proxies: proxiesFrom(settings),
    tokenIssuers: settings.CLIENT_TOKEN_ISSUERS ?? [webAppIssuer(settings.NOTION_MCP_RETURN_BASE_URL)],
  }
}

/** What the authorization server's adapter needs of the settings. */
export const oauthSettings = (config: Config): AuthorizationServerSettings => ({
  mcpServer: config.NOTION_MCP_SERVER_URL,
  overrides: {
    authorize: config.NOTION_MCP_AUTHORIZE_ENDPOINT,
    token: config.NOTION_MCP_TOKEN_ENDPOINT,
    registration: config.NOTION_MCP_REGISTRATION_ENDPOINT,
    revocation: config.NOTION_MCP_REVOCATION_ENDPOINT,
  },
  redirectUri: config.redirectUri,
  clientName: config.NOTION_MCP_CLIENT_NAME,
  fixedClient: config.fixedClient,
  clientMetadataUrl: config.NOTION_MCP_CLIENT_METADATA_URL,
  authMethod: config.NOTION_MCP_TOKEN_AUTH_METHOD,
  scope: config.NOTION_MCP_TOKEN_SCOPE,
  isPrivateNetwork: config.NOTION_MCP_PRIVATE_NETWORK,
  proxies: config.proxies,
})

function atLeastOne<T>([first, ...others]: readonly T[]): readonly [T, ...T[]] {
  if (first === undefined) throw new StartupError('CREDENTIAL_KEYS names no key.')
  return [first, ...others]
}
