/** Reads the settings of both processes with their own schemas, and checks whether they agree. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  installationFolder,
  readConfig,
  readSettings,
  repositoryRoot,
  StartupError,
  type Config,
  type Environment,
} from './parts.ts'
import { findingsOf, type Finding } from './report.ts'
import type { WebSettings } from './web-parts.ts'

/** The environments of the processes that are to be checked. */
export interface Environments {
  readonly gateway?: Environment
  readonly web?: Environment
}

export interface Gateway {
  readonly env: Environment
  readonly config: Config
  readonly dataFolder: string
  /** False while it is still to be generated, at the first start. */
  readonly hasServiceToken: boolean
}

export interface Web {
  readonly env: Environment
  readonly settings: WebSettings
  readonly dataFolder: string
  readonly url: string
  readonly gatewayPublicUrl: string
  /** The first one; undefined while it is still to be generated. */
  readonly serviceToken: string | undefined
  /** None while it is still to be generated. */
  readonly secrets: readonly string[]
}

/** The settings of a process, or the reason why they are unknown. */
export type Known<Process> = { readonly known: Process } | { readonly unknown: string }

export interface Installation {
  readonly gateway: Known<Gateway>
  readonly web: Known<Web>
}

const { ok, warning, error } = findingsOf('settings')

export async function readInstallation(
  environments: Environments,
): Promise<{ installation: Installation; findings: Finding[] }> {
  const findings: Finding[] = []
  const read = async <Process>(
    name: 'gateway' | 'web app',
    env: Environment | undefined,
    parse: (env: Environment) => Process | Promise<Process>,
  ): Promise<Known<Process>> => {
    if (env === undefined) return { unknown: `the settings of the ${name} are not given` }
    try {
      const known = await parse(env)
      findings.push(ok(`The settings of the ${name} are valid.`))
      return { known }
    } catch (cause) {
      if (!(cause instanceof StartupError)) throw cause
      for (const line of cause.message.split('\n')) findings.push(wrongSetting(name, line))
      return { unknown: `the settings of the ${name} are wrong` }
    }
  }
  const installation: Installation = {
    gateway: await read('gateway', environments.gateway, gatewayFrom),
    web: await read('web app', environments.web, webFrom),
  }
  const { gateway, web } = installation
  if ('known' in gateway) findings.push(...aboutGateway(gateway.known))
  if ('known' in web) findings.push(...aboutWeb(web.known))
  if ('known' in gateway && 'known' in web) findings.push(...together(gateway.known, web.known))
  return { installation, findings }
}

function wrongSetting(name: string, line: string): Finding {
  const [, setting] = /^([A-Za-z][A-Za-z_]*)\b/.exec(line) ?? []
  const isSetting = setting !== undefined && setting.includes('_') && setting === setting.toUpperCase()
  return error(`The ${name} would not start: ${line}`, isSetting ? { change: `${setting}=…` } : {})
}

/** Placeholder for a secret that does not exist yet; never used. */
const NOT_GENERATED = {
  GATEWAY_SERVICE_TOKEN: 'to-be-generated-at-the-first-start',
  CREDENTIAL_KEYS: `none:${Buffer.alloc(32).toString('base64')}`,
}

function gatewayFrom(env: Environment): Gateway {
  const dataFolder = folderOf(env)
  const generated = (setting: 'GATEWAY_SERVICE_TOKEN' | 'CREDENTIAL_KEYS', file: string) =>
    env[setting] || env[`${setting}_FILE`] || env['DATABASE_URL'] || env['DATABASE_URL_FILE']
      ? {}
      : { [setting]: contentOf(dataFolder, file) ?? NOT_GENERATED[setting] }
  const config = readConfig(
    {
      ...env,
      ...generated('GATEWAY_SERVICE_TOKEN', 'gateway-service-token'),
      ...generated('CREDENTIAL_KEYS', 'credential-keys'),
    },
    () => dataFolder,
  )
  return {
    env,
    config,
    dataFolder,
    hasServiceToken: config.serviceTokens[0]?.reveal() !== NOT_GENERATED.GATEWAY_SERVICE_TOKEN,
  }
}

async function webFrom(env: Environment): Promise<Web> {
  const { authSecrets, WebSettings } = await import('./web-parts.ts')
  const settings = readSettings(WebSettings, env)
  const dataFolder = folderOf(env)
  const serviceToken = settings.GATEWAY_SERVICE_TOKEN ?? contentOf(dataFolder, 'gateway-service-token')
  return {
    env,
    settings,
    dataFolder,
    url: new URL(settings.WEB_URL ?? `http://localhost:${settings.PORT}`).origin,
    gatewayPublicUrl: new URL(settings.GATEWAY_PUBLIC_URL ?? settings.CUDU_ENDPOINT).origin,
    serviceToken: serviceToken?.split(',')[0]?.trim(),
    secrets: authSecrets(settings, () => contentOf(dataFolder, 'auth-secret') ?? '').filter((secret) => secret !== ''),
  }
}

/** Like {@link dataDir}, without creating the folder. */
const folderOf = (env: Environment): string => resolve(installationFolder(repositoryRoot), env['DATA_DIR'] || '.data')

/** The content of a generated file; undefined if it does not exist or cannot be read. The area disk reports the latter. */
function contentOf(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

const GUESSABLE_BELOW = 16

function aboutGateway({ config, env }: Gateway): Finding[] {
  return [
    ...(config.serviceTokens.some((token) => token.reveal().length < GUESSABLE_BELOW)
      ? [
          warning('GATEWAY_SERVICE_TOKEN is so short that it could be guessed.', {
            detail: 'Rotate it: docs/rotate-secrets.md.',
            change: 'GATEWAY_SERVICE_TOKEN=<output of: openssl rand -hex 32>',
          }),
        ]
      : []),
    ...caFileFindings('gateway', env),
  ]
}

function aboutWeb({ url, settings, env }: Web): Finding[] {
  const { protocol, hostname } = new URL(url)
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return [
    ...(protocol === 'http:' && !isLocal
      ? [
          warning('WEB_URL is not https, so sessions and logins travel unencrypted.', {
            change: `WEB_URL=https://${hostname}`,
          }),
        ]
      : []),
    ...(settings.NOTION_GATEWAY_DEMO === '1' && !isLocal
      ? [
          error('The web app runs as a demo, with a publicly known account.', {
            change: 'NOTION_GATEWAY_DEMO=0',
          }),
        ]
      : []),
    ...caFileFindings('web app', env),
  ]
}

function caFileFindings(name: string, env: Environment): Finding[] {
  const file = env['NODE_EXTRA_CA_CERTS']
  if (!file || existsSync(file)) return []
  return [
    error(
      `The ${name} does not trust your own certificate authority: the file of NODE_EXTRA_CA_CERTS does not exist.`,
      {
        detail: 'Node only warns about it and starts.',
        change: 'NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
      },
    ),
  ]
}

/** Checks settings that both processes have, or that name the other one. */
function together({ config, hasServiceToken }: Gateway, web: Web): Finding[] {
  const { serviceToken, url, gatewayPublicUrl } = web
  const returnOrigin = config.NOTION_MCP_RETURN_BASE_URL.origin
  const callback = new URL(config.redirectUri)
  const isAccepted =
    !hasServiceToken ||
    serviceToken === undefined ||
    config.serviceTokens.some((token) => token.reveal() === serviceToken)
  const cookieDomain = web.settings.BINDING_COOKIE_DOMAIN
  const isBound = callback.hostname === new URL(url).hostname || isBelow(callback.hostname, cookieDomain)
  const findings = [
    ...(isAccepted
      ? []
      : [
          error('The gateway does not accept the service token that the web app presents.', {
            detail: 'The first token of the web app’s GATEWAY_SERVICE_TOKEN must be one of the gateway’s.',
            change: 'GATEWAY_SERVICE_TOKEN=<the same for both processes>',
          }),
        ]),
    ...(returnOrigin === url
      ? []
      : [
          error(`After a consent the gateway sends the browser to ${returnOrigin}, and the web app is at ${url}.`, {
            detail:
              'It also trusts the access tokens of the authorization server there, unless CLIENT_TOKEN_ISSUERS is set.',
            change: `NOTION_MCP_RETURN_BASE_URL=${url}`,
          }),
        ]),
    ...(config.publicUrl.origin === gatewayPublicUrl
      ? []
      : [
          error(
            `The web app tells MCP clients that the gateway is at ${gatewayPublicUrl}, but the gateway’s own setting is ${config.publicUrl.origin}.`,
            {
              detail: 'Access tokens for one address are rejected at the other.',
              change: `GATEWAY_PUBLIC_URL=${config.publicUrl.origin}`,
            },
          ),
        ]),
    ...(isBound
      ? []
      : [
          error(
            `Consents end with error=wrong_browser: the cookie of ${new URL(url).hostname} does not reach ${callback.hostname}.`,
            {
              change: `BINDING_COOKIE_DOMAIN=${commonParent(callback.hostname, new URL(url).hostname) ?? '<a domain that both names are below>'}`,
            },
          ),
        ]),
  ]
  return findings.length > 0 ? findings : [ok('The settings of the two processes agree.')]
}

const isBelow = (name: string, domain: string | undefined): boolean =>
  domain !== undefined && `.${name}`.endsWith(`.${domain.replace(/^\./, '')}`)

/** The longest domain of two labels or more that both names are below. */
export function commonParent(one: string, other: string): string | undefined {
  const [a, b] = [one.split('.').toReversed(), other.split('.').toReversed()]
  const end = a.findIndex((label, at) => label !== b[at])
  const common = a.slice(0, end === -1 ? a.length : end)
  return common.length >= 2 ? common.toReversed().join('.') : undefined
}

const SECRETS_OF_WEB = [
  'CHAT_API_KEY',
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'GOOGLE_GENERATIVE_AI_API_KEY',
  'OIDC_CLIENT_SECRET',
  'GOOGLE_CLIENT_SECRET',
  'GITHUB_CLIENT_SECRET',
] as const

/** Every value that must not be printed. */
export function secretsOf({ gateway, web }: Installation): string[] {
  const configured = 'known' in gateway ? gateway.known : undefined
  const settings = 'known' in web ? web.known.settings : undefined
  const urls = [
    configured?.config.DATABASE_URL,
    configured?.config.REDIS_URL,
    settings?.DATABASE_URL,
    settings?.SMTP_URL,
    ...[configured?.env, 'known' in web ? web.known.env : undefined].flatMap((env) => [
      env?.['HTTPS_PROXY'],
      env?.['https_proxy'],
      env?.['HTTP_PROXY'],
      env?.['http_proxy'],
    ]),
  ]
  return [
    ...(configured?.config.serviceTokens ?? []).map((token) => token.reveal()),
    ...(configured?.config.credentialKeys ?? []).map(({ key }) => key.toString('base64')),
    configured?.config.NOTION_MCP_CLIENT_SECRET?.reveal(),
    ...('known' in web ? [web.known.serviceToken, ...web.known.secrets] : []),
    ...SECRETS_OF_WEB.map((name) => settings?.[name]),
    ...urls.flatMap((url) => passwordIn(url)),
  ].filter((value) => value !== undefined)
}

function passwordIn(text: string | undefined): string[] {
  const password = URL.parse(text ?? '')?.password
  return password ? [password, decodeURIComponent(password)] : []
}
