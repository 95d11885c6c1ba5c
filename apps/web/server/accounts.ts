import type { Auth } from '../lib/auth.ts'
import { log } from '../lib/log.ts'
import { signInProviders, type SignInProviders } from '../lib/sign-in-providers.ts'

const LOOK_AGAIN_MS = 5_000

export interface Accounts {
  /** As it is now: another one once single sign-on has become available. */
  readonly auth: Auth
  readonly providers: SignInProviders
  stop(): void
}

/**
 * Opens the accounts with the ways to sign in that can be used now, and again with the rest as soon as that answers: an app that waits for
 * somebody else's server would lock out those who do not need it.
 *
 * @throws {StartupError}
 */
export async function openAccounts(
  settings: Parameters<typeof signInProviders>[0],
  open: (providers: SignInProviders) => Promise<Auth>,
): Promise<Accounts> {
  let providers = await signInProviders(settings)
  let auth = await open(providers)
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  // Log a fault once, not at every retry.
  let said: string | undefined
  const sayOnce = (event: string, message: string) => {
    if (message !== said) log.error(event, { issuer: settings.OIDC_ISSUER, message })
    said = message
  }
  const saySilent = () =>
    sayOnce('single_sign_on.silent', 'The provider isn’t responding. Users sign in with other methods until it does.')
  const lookAgain = async () => {
    const now = await signInProviders(settings)
    if (now.oidc === 'silent') return saySilent()
    auth = await open(now)
    providers = now
    log.info('single_sign_on.available')
  }
  const waitForIt = () => {
    if (isStopped || providers.oidc !== 'silent') return
    timer = setTimeout(() => {
      lookAgain()
        .catch((error: unknown) => sayOnce('single_sign_on.unusable', String(error)))
        .finally(waitForIt)
    }, LOOK_AGAIN_MS)
    timer.unref()
  }
  if (providers.oidc === 'silent') saySilent()
  waitForIt()

  return {
    get auth() {
      return auth
    },
    get providers() {
      return providers
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
