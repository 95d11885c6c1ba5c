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

/** What the web app is told from outside. The page on settings lists them with their defaults and meaning. */
export const Settings = z
  .object({
    PORT: z.coerce
      .number('must be a port number')
      .int('must be a port number')
      .min(0, 'must be a port number')
      .max(65_535, 'must be a port number')
      .default(3000),
    HOST: z.string().default('127.0.0.1'),
    /** The gateway's base URL. */
    CUDU_ENDPOINT: url.default('http://localhost:8000'),
    /** The gateway as MCP clients know it. */
    GATEWAY_PUBLIC_URL: url
      .refine(isOrigin, 'must be an origin, as https://gateway.example.com, without a path')
      .optional(),
    /** How long an access token of an MCP client is good; its client gets a new one by itself. */
    CLIENT_TOKEN_SECONDS: z.coerce
      .number('must be a number of seconds')
      .int('must be a whole number of seconds')
      .min(1, 'must be at least 1')
      .max(900, 'must be at most 900, which is 15 minutes')
      .default(900),
    /** For documents that describe MCP clients. */
    ...proxySettings,
    /** Whether a client's id may be the address of a document that describes it, which this app then asks for. Yes, but in the demo. */
    CLIENT_METADATA_DOCUMENTS: z
      .enum(['true', 'false'], 'must be true or false')
      .transform((value) => value === 'true')
      .optional(),
    /** As for the gateway, several may be given, separated by commas. The first is presented. */
    GATEWAY_SERVICE_TOKEN: z.string().optional(),
    /** The app's own public origin. */
    WEB_URL: url.refine(isOrigin, 'must be an origin, as https://app.example.com, without a path').optional(),
    AUTH_SECRET: z.string().min(16, SHORT_SECRET).optional(),
    /** Several, separated by commas: the first one seals and signs, all of them open. An `AUTH_SECRET` beside them only opens. */
    AUTH_SECRETS: z
      .string()
      .transform((list) => list.split(',').map((entry) => entry.trim()))
      .pipe(z.array(z.string().min(16, SHORT_SECRET)))
      .optional(),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent')
      .default('info'),
    /** Connections to the database that this process holds at most. */
    DATABASE_POOL_SIZE: z.coerce
      .number('must be a number of connections, from 2 to 1000')
      .int('must be a number of connections, from 2 to 1000')
      .min(2, 'must be a number of connections, from 2 to 1000')
      .max(1_000, 'must be a number of connections, from 2 to 1000')
      .default(10),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// URL' }).optional(),
    /** Needed when gateway and web app are on different hosts: the parent domain of both. */
    BINDING_COOKIE_DOMAIN: z.hostname('must be a host name').optional(),
    /** Addresses or networks (CIDR) of the reverse proxies in front, whose X-Forwarded-For is believed. */
    TRUSTED_PROXIES: z
      .string()
      .transform((list) => list.split(',').map((entry) => entry.trim()))
      .pipe(
        z.array(
          z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be addresses or networks, separated by commas'),
        ),
      )
      .default([]),
    /** Where mail is handed in, as smtps://name:password@host. Without it, links are shown to be copied. */
    SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' }).optional(),
    /** The sender, as `Notion Gateway <notion@example.com>`. */
    MAIL_FROM: z
      .string()
      .regex(/^([^<>\r\n]* <)?[^\s<>@]+@[^\s<>@]+>?$/, 'must be an address, as "Notion <notion@example.com>"')
      .optional(),
    /** Single sign-on: an OpenID provider, a client of it, and how people call it. */
    OIDC_ISSUER: z
      .url('must be a URL')
      .refine((value) => isSafeForLogin(value), 'must be an https URL')
      .optional(),
    OIDC_CLIENT_ID: z.string().optional(),
    OIDC_CLIENT_SECRET: z.string().optional(),
    OIDC_NAME: z.string().min(1).max(40, 'must have at most 40 characters').default('single sign-on'),
    GOOGLE_CLIENT_ID: z.string().optional(),
    GOOGLE_CLIENT_SECRET: z.string().optional(),
    GITHUB_CLIENT_ID: z.string().optional(),
    GITHUB_CLIENT_SECRET: z.string().optional(),
    NOTION_GATEWAY_DEMO: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
    /** The chat's models, the first is the default. */
    CHAT_MODEL: z
      .string()
      .transform((list) => list.split(',').map((entry) => entry.trim()))
      .pipe(z.array(z.string().min(1, 'must be names of models, separated by commas')))
      .optional(),
    /** An endpoint that speaks OpenAI's protocol; all models are asked there then, by the names as given. */
    CHAT_BASE_URL: url.optional(),
    CHAT_API_KEY: z.string().optional(),
    OPENAI_API_KEY: z.string().optional(),
    ANTHROPIC_API_KEY: z.string().optional(),
    GOOGLE_GENERATIVE_AI_API_KEY: z.string().optional(),
    /** How long answers that are being written may go on after SIGTERM: 20 seconds. The process ends without them after 30. */
    SHUTDOWN_GRACE_SECONDS: z.coerce
      .number('must be a number of seconds')
      .min(0, 'must be at least 0')
      .max(20, 'must be at most 20')
      .optional(),
    CHAT_MAX_STEPS: z.coerce
      .number('must be a number of steps, from 1 to 100')
      .int('must be a number of steps, from 1 to 100')
      .min(1, 'must be a number of steps, from 1 to 100')
      .max(100, 'must be a number of steps, from 1 to 100')
      .default(20),
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
