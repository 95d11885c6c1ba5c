import { proxySettings } from '@nmg/outbound'
import { z } from 'zod'
import { modelMistakes } from './chat-models.ts'

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })

const isOrigin = (value: string) => {
  if (!URL.canParse(value)) return false
  const { origin, href } = new URL(value)
  return href === `${origin}/`
}

const SHORT_SECRET = 'must have at least 16 characters'

/** The settings by their names in the environment. docs/settings.md and .env.example are generated from these descriptions. */
export const Settings = z
  .object({
    PORT: z.coerce
      .number('must be a port number')
      .int('must be a port number')
      .min(0, 'must be a port number')
      .max(65_535, 'must be a port number')
      .default(3000)
      .describe('Listen port. (`WEB_PORT` with `npm start`.)'),
    HOST: z.string().default('127.0.0.1').describe('Listen address.'),
    CUDU_ENDPOINT: url
      .default('http://localhost:8000')
      .describe("The gateway's base URL, or that of a load balancer in front of several gateways."),
    GATEWAY_PUBLIC_URL: url
      .refine(isOrigin, 'must be an origin, as https://gateway.example.com, without a path')
      .optional()
      .meta({
        description: "The gateway's origin as MCP clients know it. The same value for both processes.",
        defaultText: 'the origin of `CUDU_ENDPOINT`',
      }),
    CLIENT_TOKEN_SECONDS: z.coerce
      .number('must be a number of seconds')
      .int('must be a whole number of seconds')
      .min(1, 'must be at least 1')
      .max(900, 'must be at most 900, which is 15 minutes')
      .default(900)
      .describe('Lifetime of an access token of an MCP client, at most 900 seconds. Clients renew it automatically.'),
    ...proxySettings,
    CLIENT_METADATA_DOCUMENTS: z
      .enum(['true', 'false'], 'must be true or false')
      .transform((value) => value === 'true')
      .optional()
      .meta({
        description:
          'Whether an MCP client may be identified by a [metadata document](glossary.md#oauth) instead of a registration, as Claude Code and Codex are; the web app fetches it. `false` where the web app has no access to the Internet: clients then register.',
        defaultText: '`true`; `false` in the demo',
      }),
    GATEWAY_SERVICE_TOKEN: z.string().optional().meta({
      description: 'The same as for the gateway. Of several, separated by commas, the first one is presented.',
      defaultText: 'generated into `DATA_DIR`; required with `DATABASE_URL`',
      secret: true,
    }),
    WEB_URL: url
      .refine(isOrigin, 'must be an origin, as https://app.example.com, without a path')
      .optional()
      .meta({ description: "The app's own public origin.", defaultText: '`http://localhost:<PORT>`' }),
    AUTH_SECRET: z.string().min(16, SHORT_SECRET).optional().meta({
      description:
        'Signs sessions and encrypts the keys that sign access tokens of MCP clients. Make one with `openssl rand -hex 32`.',
      defaultText: 'generated into `DATA_DIR`; required with `DATABASE_URL`',
      secret: true,
    }),
    AUTH_SECRETS: z
      .string()
      .transform((list) => list.split(',').map((entry) => entry.trim()))
      .pipe(z.array(z.string().min(16, SHORT_SECRET)))
      .optional()
      .meta({
        description:
          'Several `AUTH_SECRET`s, separated by commas: the first one signs and encrypts, all of them are accepted. An `AUTH_SECRET` beside them is only accepted. See [rotate-secrets.md](rotate-secrets.md).',
        defaultText: '`AUTH_SECRET`',
        secret: true,
      }),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent')
      .default('info')
      .describe(
        '`debug`, `info`, `warn`, `error` or `silent`. Every failed request (5xx) is logged at `warn` or above.',
      ),
    DATABASE_POOL_SIZE: z.coerce
      .number('must be a number of connections, from 2 to 1000')
      .int('must be a number of connections, from 2 to 1000')
      .min(2, 'must be a number of connections, from 2 to 1000')
      .max(1_000, 'must be a number of connections, from 2 to 1000')
      .default(10)
      .describe('Database connections of this process, from 2 to 1000.'),
    DATABASE_URL: z
      .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// URL' })
      .optional()
      .meta({
        description:
          "PostgreSQL 14 or newer. The web app has a schema of its own, so it may be the gateway's database.",
        defaultText: 'embedded, in `DATA_DIR`',
        secret: true,
      }),
    BINDING_COOKIE_DOMAIN: z
      .hostname('must be a host name')
      .optional()
      .describe('Common parent domain of web app and gateway, if they have different host names.'),
    TRUSTED_PROXIES: z
      .string()
      .transform((list) => list.split(',').map((entry) => entry.trim()))
      .pipe(
        z.array(
          z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be addresses or networks, separated by commas'),
        ),
      )
      .default([])
      .describe(
        'Addresses or networks (CIDR) of reverse proxies whose `X-Forwarded-For` is trusted, separated by commas. Required behind a proxy: otherwise all users share the rate limits of one address (the log warns once).',
      ),
    SMTP_URL: z
      .url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' })
      .optional()
      .meta({
        description:
          'Mail server: `smtps://name:password@host`. Without it, invitation links are shown for copying, and an operator makes password reset links (`npm run reset-link`).',
        secret: true,
      }),
    MAIL_FROM: z
      .string()
      .regex(/^([^<>\r\n]* <)?[^\s<>@]+@[^\s<>@]+>?$/, 'must be an address, as "Notion <notion@example.com>"')
      .optional()
      .describe('Sender of mail, as `Notion Gateway <notion@example.com>`.'),
    OIDC_ISSUER: z
      .url('must be a URL')
      .refine((value) => isSafeForLogin(value), 'must be an https URL')
      .optional()
      .describe(
        'Single sign-on: issuer of an OpenID provider where `WEB_URL/api/auth/callback/oidc` is registered. While the provider does not respond, the app starts without it and tries again every few seconds.',
      ),
    OIDC_CLIENT_ID: z.string().optional().describe('Client id at the OpenID provider.'),
    OIDC_CLIENT_SECRET: z
      .string()
      .optional()
      .meta({ description: 'Client secret at the OpenID provider.', secret: true }),
    OIDC_NAME: z
      .string()
      .min(1)
      .max(40, 'must have at most 40 characters')
      .default('single sign-on')
      .describe('Name of the OpenID provider on its button.'),
    GOOGLE_CLIENT_ID: z
      .string()
      .optional()
      .describe('Sign-in with Google: client id, with `WEB_URL/api/auth/callback/google` registered.'),
    GOOGLE_CLIENT_SECRET: z
      .string()
      .optional()
      .meta({ description: 'Sign-in with Google: client secret.', secret: true }),
    GITHUB_CLIENT_ID: z
      .string()
      .optional()
      .describe('Sign-in with GitHub: client id, with `WEB_URL/api/auth/callback/github` registered.'),
    GITHUB_CLIENT_SECRET: z
      .string()
      .optional()
      .meta({ description: 'Sign-in with GitHub: client secret.', secret: true }),
    NOTION_GATEWAY_DEMO: z
      .enum(['0', '1'], 'must be 0 or 1')
      .default('0')
      .describe(
        '`1` creates the demo user and space and shows on each page that Notion is simulated. Set by `npm run demo` and `npm run dev`.',
      ),
    CHAT_MODEL: z
      .string()
      .transform((list) => list.split(',').map((entry) => entry.trim()))
      .pipe(z.array(z.string().min(1, 'must be names of models, separated by commas')))
      .optional()
      .meta({
        description:
          'Models of the chat: `anthropic/…`, `openai/…`, `google/…`. Several, separated by commas, are offered in a picker; the first one is the default.',
        defaultText: 'none; a scripted one in the demo',
      }),
    CHAT_BASE_URL: url
      .optional()
      .describe(
        "An endpoint with OpenAI's chat completions API (Ollama, vLLM, a router …). All models are requested there, with their names exactly as given.",
      ),
    CHAT_API_KEY: z.string().optional().meta({ description: 'API key of the models.', secret: true }),
    OPENAI_API_KEY: z
      .string()
      .optional()
      .meta({ description: 'API key for `openai/…`; wins over `CHAT_API_KEY`.', secret: true }),
    ANTHROPIC_API_KEY: z
      .string()
      .optional()
      .meta({ description: 'API key for `anthropic/…`; wins over `CHAT_API_KEY`.', secret: true }),
    GOOGLE_GENERATIVE_AI_API_KEY: z
      .string()
      .optional()
      .meta({ description: 'API key for `google/…`; wins over `CHAT_API_KEY`.', secret: true }),
    SHUTDOWN_GRACE_SECONDS: z.coerce
      .number('must be a number of seconds')
      .min(0, 'must be at least 0')
      .max(20, 'must be at most 20')
      .optional()
      .meta({
        description: 'Seconds for which chat answers in progress may continue after SIGTERM, at most 20.',
        defaultText: '20; 5 with `npm start`',
      }),
    CHAT_MAX_STEPS: z.coerce
      .number('must be a number of steps, from 1 to 100')
      .int('must be a number of steps, from 1 to 100')
      .min(1, 'must be a number of steps, from 1 to 100')
      .max(100, 'must be a number of steps, from 1 to 100')
      .default(20)
      .describe('How many times one answer may call the model, from 1 to 100.'),
  })
  // Without `when`, a wrong PORT would hide that these are missing, and the operator would need two attempts.
  .refine(...requiredWithDatabase('GATEWAY_SERVICE_TOKEN'))
  .refine(...requiredWithDatabase('AUTH_SECRET'))
  .refine((given) => !given.CHAT_BASE_URL || given.CHAT_MODEL, {
    path: ['CHAT_MODEL'],
    error: 'must be set when CHAT_BASE_URL is: the names of the models that it offers',
    when: () => true,
  })
  .superRefine((given, context) => {
    for (const message of modelMistakes(given)) context.addIssue({ code: 'custom', path: ['CHAT_MODEL'], message })
  })
  .refine(...allOrNone('SMTP_URL', 'MAIL_FROM'))
  .refine(...allOrNone('OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'))
  .refine(...allOrNone('GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'))
  .refine(...allOrNone('GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'))
  .refine((given) => given.PORT !== 0 || given.WEB_URL, {
    path: ['WEB_URL'],
    error: 'must be set when PORT is 0, because nobody knows the port beforehand',
  })

export type Settings = z.infer<typeof Settings>

/** The secrets of this app; the first one seals and signs, all of them open. `generated` is asked for one when none is set. */
export function authSecrets(
  { AUTH_SECRET, AUTH_SECRETS = [] }: Pick<Settings, 'AUTH_SECRET' | 'AUTH_SECRETS'>,
  generated: () => string,
): readonly [string, ...string[]] {
  const [first, ...others] = [...new Set([...AUTH_SECRETS, ...(AUTH_SECRET === undefined ? [] : [AUTH_SECRET])])]
  return first === undefined ? [generated()] : [first, ...others]
}

function requiredWithDatabase(name: 'GATEWAY_SERVICE_TOKEN' | 'AUTH_SECRET') {
  const isFine = (given: Record<string, unknown>) =>
    !given['DATABASE_URL'] || Boolean(given[name]) || (name === 'AUTH_SECRET' && Boolean(given['AUTH_SECRETS']))
  const options = { path: [name], error: 'must be set when DATABASE_URL is', when: () => true }
  return [isFine, options] as const
}

/** Settings that mean nothing without each other. */
function allOrNone(...names: [string, ...string[]]) {
  const isFine = (given: Record<string, unknown>) => new Set(names.map((name) => Boolean(given[name]))).size === 1
  const options = {
    path: [names[0]],
    error: `is needed together with ${names.slice(1).join(' and ')}.`,
    when: () => true,
  }
  return [isFine, options] as const
}

/** Without TLS only on this very machine. */
function isSafeForLogin(value: string): boolean {
  const { protocol, hostname } = new URL(value)
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
}
