import { cleanDisplayName } from '@nmg/contract'
import { StartupError } from '@nmg/process'
import { genericOAuth } from 'better-auth/plugins'
import { z } from 'zod'
import { boundedBody } from './bounded-body.ts'
import type { Settings } from './settings.ts'

/** Another way to sign in than email and password. */
export interface SignInProvider {
  readonly id: 'oidc' | 'google' | 'github'
  /** Name on its button: "Continue with …". */
  readonly name: string
}

export interface SignInProviders {
  /** In the order of the buttons. */
  readonly offered: readonly SignInProvider[]
  /** `silent` while the provider does not respond. */
  readonly oidc: OidcClient | 'silent' | undefined
  readonly social: Partial<Record<'google' | 'github', SocialClient>>
}

interface SocialClient {
  readonly clientId: string
  readonly clientSecret: string
  readonly mapProfileToUser: typeof mapProfileToUser
}

interface OidcClient {
  readonly discoveryUrl: string
  readonly clientId: string
  readonly clientSecret: string
}

type ProviderSettings = Pick<
  Settings,
  | 'OIDC_ISSUER'
  | 'OIDC_CLIENT_ID'
  | 'OIDC_CLIENT_SECRET'
  | 'OIDC_NAME'
  | 'GOOGLE_CLIENT_ID'
  | 'GOOGLE_CLIENT_SECRET'
  | 'GITHUB_CLIENT_ID'
  | 'GITHUB_CLIENT_SECRET'
>

const DISCOVERY_DEADLINE_MS = 10_000

/** In bytes. */
const LONGEST_DISCOVERY = 1024 * 1024

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() })

/**
 * The ways to sign in that the settings name. An OpenID provider is asked for its configuration first: what the library makes of one that does
 * not answer lasts until the next start.
 *
 * @throws {StartupError} when the provider answers, and is not the one that the settings mean.
 */
export async function signInProviders(settings: ProviderSettings): Promise<SignInProviders> {
  const oidc = await oidcClient(settings)
  const google = pair(settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET)
  const github = pair(settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET)
  return {
    offered: [
      ...(oidc ? [{ id: 'oidc', name: settings.OIDC_NAME } as const] : []),
      ...(google ? [{ id: 'google', name: 'Google' } as const] : []),
      ...(github ? [{ id: 'github', name: 'GitHub' } as const] : []),
    ],
    oidc,
    social: {
      ...(google && { google: { ...google, mapProfileToUser } }),
      ...(github && { github: { ...github, mapProfileToUser } }),
    },
  }
}

const pair = (clientId: string | undefined, clientSecret: string | undefined) =>
  clientId && clientSecret ? { clientId, clientSecret } : undefined

async function oidcClient(settings: ProviderSettings): Promise<SignInProviders['oidc']> {
  const { OIDC_ISSUER: issuer } = settings
  const client = pair(settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
  if (!issuer || !client) return undefined
  const discoveryUrl = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  let found: unknown
  try {
    const response = await fetch(discoveryUrl, { signal: AbortSignal.timeout(DISCOVERY_DEADLINE_MS) })
    if (isOutage(response.status)) throw new Error(`status ${response.status}`)
    found = jsonOf(await boundedBody(response, LONGEST_DISCOVERY).text())
  } catch {
    return 'silent'
  }
  const discovery = Discovery.safeParse(found)
  if (!discovery.success)
    throw new StartupError(`OIDC_ISSUER: what ${discoveryUrl} answers is no OpenID configuration.`)
  if (discovery.data.issuer !== issuer) {
    throw new StartupError(`OIDC_ISSUER: the server at ${discoveryUrl} calls itself ${discovery.data.issuer}.`)
  }
  return { discoveryUrl, ...client }
}

/** Statuses that do not indicate wrong settings: the server is down, overloaded or behind a failing proxy. */
const isOutage = (status: number): boolean => status >= 500 || [401, 403, 408, 425, 429].includes(status)

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** How the OpenID provider is used: the code flow with PKCE, and tokens that are verified. */
export const oidcPlugin = ({ discoveryUrl, clientId, clientSecret }: OidcClient) =>
  genericOAuth({
    config: [
      {
        providerId: 'oidc',
        discoveryUrl,
        clientId,
        clientSecret,
        scopes: ['openid', 'email', 'profile'],
        pkce: true,
        requireIdTokenVerification: true,
        mapProfileToUser,
      },
    ],
  })

const mapProfileToUser = (profile: object) => ({ name: nameOf(profile) })

/** What a provider calls the user, as far as our rule for names allows. */
function nameOf(profile: object): string {
  const { name, preferred_username: username, login, email } = profile as Record<string, unknown>
  const names = [name, username, login, email].map((given) => cleanDisplayName(given))
  return names.find((found) => found !== undefined) ?? 'Somebody'
}
