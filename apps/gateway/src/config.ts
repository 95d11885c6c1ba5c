import { randomBytes } from 'node:crypto'
import { proxiesFrom, proxySettings, type Proxies } from '@nmg/outbound'
import { loadOrCreateSecret, readSettings, StartupError, type Environment } from '@nmg/process'
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

const endpoint = (name: string) =>
  webUrl.optional().meta({
    description: `Overrides the ${name} endpoint. Applies to existing connections too.`,
    defaultText: 'discovered',
  })

const authMethods = ['none', 'client_secret_basic', 'client_secret_post'] as const

/** The settings by their names in the environment. docs/settings.md and .env.example are generated from these descriptions. */
export const Settings = z
  .object({
    PORT: z.coerce.number().int().min(0).max(65_535).default(8000).describe('Listen port.'),
    HOST: z.string().default('127.0.0.1').describe('Listen address.'),
    WORKERS: z.coerce
      .number()
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe(
        'Processes that share the port. Each uses one processor and is a replica with its own limits. With more than one, an additional process distributes the connections.',
      ),
    NOTION_MCP_SERVER_URL: webUrl
      .default(new URL('https://mcp.notion.com/mcp'))
      .describe('Upstream MCP endpoint. Everything else is discovered from it (RFC 9728, RFC 8414).'),
    NOTION_MCP_AUTHORIZE_ENDPOINT: endpoint('authorization'),
    NOTION_MCP_TOKEN_ENDPOINT: endpoint('token'),
    NOTION_MCP_REGISTRATION_ENDPOINT: endpoint('registration'),
    NOTION_MCP_REVOCATION_ENDPOINT: endpoint('revocation'),
    NOTION_MCP_PRIVATE_NETWORK: z
      .enum(['true', 'false'], 'must be true or false')
      .default('false')
      .transform((value) => value === 'true')
      .describe(
        '`true` if the MCP server is in a private network: then the addresses that it names may be there too (10.x, 172.16.x, 192.168.x, 100.64.x, fd…). Otherwise no request is sent to such addresses.',
      ),
    NOTION_MCP_CLIENT_ID: z.string().optional().meta({
      description:
        'Id of a fixed client registration. Without it the gateway registers itself (RFC 7591), once for each consent. A change applies to existing connections too.',
      defaultText: 'registered for each consent',
    }),
    NOTION_MCP_CLIENT_SECRET: secret
      .optional()
      .meta({ description: 'Secret of the fixed client registration.', secret: true }),
    NOTION_MCP_CLIENT_NAME: z
      .string()
      .max(200)
      .default('Notion MCP Gateway')
      .describe("Name of this gateway on Notion's consent page."),
    NOTION_MCP_TOKEN_AUTH_METHOD: z.enum(authMethods).optional().meta({
      description: 'How the client authenticates at the token endpoint.',
      defaultText: 'a method that the server supports, `none` first; `client_secret_basic` with a fixed secret',
    }),
    NOTION_MCP_CLIENT_METADATA_URL: z
      .url({ protocol: /^https$/ })
      .transform((text) => new URL(text))
      .refine(
        ({ pathname, hash, username, password }) => pathname !== '/' && !hash && !username && !password,
        'must have a path, and neither a fragment nor a user name',
      )
      .optional()
      .describe(
        'https address of a [client ID metadata document](glossary.md#oauth) for this gateway, with `client_id` (that address), `client_name`, `redirect_uris` and `token_endpoint_auth_method: none`. Authorization servers that support such documents get it as the client id, and nothing is registered.',
      ),
    NOTION_MCP_TOKEN_SCOPE: z.string().optional().meta({
      description: 'Scope to request.',
      defaultText: 'none for Notion; elsewhere what the server names, plus what calls turned out to need',
    }),
    NOTION_MCP_OAUTH_REDIRECT_URI: webUrl.optional().meta({
      description: 'Where Notion redirects the browser after the consent. Must match the client registration.',
      defaultText: '`http://localhost:<PORT>/integrations/notion/mcp/oauth/callback`',
    }),
    NOTION_MCP_RETURN_BASE_URL: webUrl
      .default(new URL('http://localhost:3000'))
      .describe('The browser is sent back below this origin, and nowhere else.'),
    NOTION_MCP_STATE_TTL_SECONDS: seconds(600).describe('Lifetime of a pending authorization request, in seconds.'),
    NOTION_MCP_REFRESH_MARGIN_SECONDS: seconds(60, 0).describe(
      'A call refreshes the access token first if it expires within this many seconds.',
    ),
    GATEWAY_SERVICE_TOKEN: serviceTokens.optional().meta({
      description:
        'Authenticates applications. Several, separated by commas, are all accepted. Make one with `openssl rand -hex 32`.',
      defaultText: 'generated into `DATA_DIR`; required with `DATABASE_URL`',
      secret: true,
    }),
    CREDENTIAL_KEYS: credentialKeys.optional().meta({
      description:
        'Keys that encrypt stored credentials: `name:base64(32 bytes)`, separated by commas. The first one seals, all of them open. Make one with `echo "key1:$(openssl rand -base64 32)"`.',
      defaultText: 'generated into `DATA_DIR`; required with `DATABASE_URL`',
      secret: true,
    }),
    DATABASE_URL: z
      .url({ protocol: /^postgres(ql)?$/ })
      .optional()
      .meta({ description: 'PostgreSQL 14 or newer.', defaultText: 'embedded, in `DATA_DIR`', secret: true }),
    DATABASE_POOL_SIZE: z.coerce
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(10)
      .describe('Database connections that each process uses for statements; two more hold session state.'),
    REDIS_URL: z
      .url({ protocol: /^rediss?$/ })
      .optional()
      .meta({
        description:
          'Redis 6 or newer, for pending authorization requests and for the [mark](deploy.md#what-is-noticed) by which a restored database is noticed.',
        defaultText: 'in the database',
        secret: true,
      }),
    EVENT_RETENTION_DAYS: z.coerce
      .number()
      .int()
      .min(1)
      .max(36_500)
      .default(30)
      .describe(
        'Days for which the history of a connection keeps refreshes. Consents, failures and disconnects are kept for good.',
      ),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('`debug`, `info`, `warn`, `error` or `silent`.'),
    PROXY_MAX_BODY_BYTES: z.coerce
      .number()
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(4 * 1024 * 1024)
      .describe(
        "Largest request body of an MCP call. One space, and one user's clients, may have at most 32 MB of bodies in flight (or one body, if that is larger).",
      ),
    PROXY_MAX_CALLS: count(DEFAULT_LIMITS.calls).describe(
      'Calls in flight. A few more wait in a queue; all others get 503 with `Retry-After` immediately.',
    ),
    PROXY_MAX_CALLS_PER_SPACE: count(DEFAULT_LIMITS.callsPerSpace).describe('Calls in flight of one space.'),
    PROXY_MAX_STREAMS: count(DEFAULT_LIMITS.streams).describe('Open streams.'),
    PROXY_MAX_STREAMS_PER_SPACE: count(DEFAULT_LIMITS.streamsPerSpace).describe('Open streams of one space.'),
    PROXY_HEAD_TIMEOUT_SECONDS: seconds(120).describe(
      'Seconds that the upstream server may take until its response begins. (Notion gives a tool 55 seconds.)',
    ),
    PROXY_STREAM_MAX_AGE_SECONDS: seconds(4 * 3600).describe(
      'Age in seconds at which a stream is closed, even if it is active. Clients reconnect.',
    ),
    SHUTDOWN_GRACE_SECONDS: seconds(20, 0).describe('Seconds for which calls in flight may continue after SIGTERM.'),
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

/** Validated settings with derived values; omitted secrets have been generated. */
export interface Config extends Omit<Settings, 'GATEWAY_SERVICE_TOKEN' | 'CREDENTIAL_KEYS'> {
  readonly serviceTokens: readonly Secret[]
  readonly credentialKeys: readonly [CredentialKey, ...CredentialKey[]]
  readonly redirectUri: string
  readonly fixedClient: ClientRegistration | null
  readonly publicUrl: URL
  /** Outbound proxies for the MCP server, its authorization server and the issuers of clients' tokens. */
  readonly proxies: Proxies
  readonly tokenIssuers: readonly TrustedIssuer[]
}

/**
 * @param dataFolder returns the folder for generated secrets; only called with the embedded database.
 * @throws {StartupError} that names every invalid setting.
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
      new Secret(loadOrCreateSecret(dataFolder(), 'gateway-service-token', () => randomBytes(32).toString('hex'))),
    ],
    credentialKeys: atLeastOne(
      settings.CREDENTIAL_KEYS ??
        credentialKeys.parse(
          loadOrCreateSecret(dataFolder(), 'credential-keys', () => `key1:${randomBytes(32).toString('base64')}`),
        ),
    ),
    redirectUri,
    fixedClient: clientId === undefined ? null : { clientId, clientSecret: clientSecret ?? null, authMethod },
    publicUrl: settings.GATEWAY_PUBLIC_URL ?? new URL(`http://localhost:${PORT}`),
    proxies: proxiesFrom(settings),
    tokenIssuers: settings.CLIENT_TOKEN_ISSUERS ?? [webAppIssuer(settings.NOTION_MCP_RETURN_BASE_URL)],
  }
}

/** The settings of the OAuth client for Notion's authorization server. */
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
  if (first === undefined) throw new StartupError('CREDENTIAL_KEYS has no key.')
  return [first, ...others]
}
