import 'server-only'
import { isRegisteredRedirect, redirectTarget } from '@/authorization-server/redirect-uris.ts'
import { ISSUER_PATH } from '@/authorization-server/issuer.ts'
import type { App } from '@/lib/runtime.ts'

type Asked = Partial<Record<'client_id' | 'redirect_uri' | 'state', string | string[] | undefined>>

/** Error redirect to the client (RFC 6749 §4.1.2.1); undefined unless the client registered this redirect URI. */
export async function wayBack(
  app: App<'authorizationServer' | 'webUrl'>,
  error: string,
  asked: Asked,
): Promise<{ href: string; name: string } | undefined> {
  const { client_id: clientId, redirect_uri: redirectUri, state } = asked
  if (typeof clientId !== 'string' || typeof redirectUri !== 'string' || !/^[a-z_]{1,50}$/.test(error)) return undefined
  const client = await app.authorizationServer.client(clientId)
  if (!client || client.isDisabled || !isRegisteredRedirect(client.redirectUris, redirectUri)) return undefined
  const url = new URL(redirectUri)
  url.searchParams.set('error', error)
  if (typeof state === 'string') url.searchParams.set('state', state)
  url.searchParams.set('iss', app.webUrl + ISSUER_PATH)
  const { name } = redirectTarget(redirectUri)
  return { href: url.href, name }
}
