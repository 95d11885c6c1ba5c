import type { Account } from './browser.ts'

/** Somebody who uses the app over plain HTTP, as its pages do: with a session cookie, from the app's own origin. */
export interface UserClient {
  readonly account: Account
  readonly id: string
  /** The space that was made at sign-up. */
  readonly spaceId: string
  /** `origin: null` leaves the header out. */
  fetch(path: string, init?: RequestInit & { origin?: string | null }): Promise<Response>
  /** POST with a JSON body. */
  post(path: string, body: unknown): Promise<Response>
  cookies(): ReadonlyMap<string, string>
}

/**
 * A browser profile without the browser: keeps cookies, and says where its requests come from.
 *
 * @param webUrl where the app listens.
 * @param ownOrigin how it is known, where that is something else.
 */
export function newCookieClient(webUrl: string, ownOrigin = webUrl): Pick<UserClient, 'fetch' | 'post' | 'cookies'> {
  const jar = new Map<string, string>()

  const send: UserClient['fetch'] = async (path, { origin = ownOrigin, ...init } = {}) => {
    const headers = new Headers(init.headers)
    if (origin !== null) headers.set('origin', origin)
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await fetch(webUrl + path, { ...init, headers, redirect: 'manual' })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const [name = '', ...value] = pair.split('=')
      jar.set(name, value.join('='))
    }
    return response
  }
  const post: UserClient['post'] = (path, body) =>
    send(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return { fetch: send, post, cookies: () => jar }
}

export async function newUser(webUrl: string, account: Account, ownOrigin = webUrl): Promise<UserClient> {
  const { fetch: send, post, cookies } = newCookieClient(webUrl, ownOrigin)
  const signedUp = await post('/api/auth/sign-up/email', account)
  if (!signedUp.ok) throw new Error(`sign-up answered ${signedUp.status}: ${await signedUp.text()}`)
  const { session, user } = (await (await send('/api/auth/get-session')).json()) as {
    session: { activeOrganizationId: string }
    user: { id: string }
  }
  return { account, id: user.id, spaceId: session.activeOrganizationId, fetch: send, post, cookies }
}

/** Brings `guest` into the space of `host`. */
export async function invite(host: UserClient, guest: UserClient, role: 'admin' | 'member'): Promise<void> {
  const invited = await host.post(`/api/spaces/${host.spaceId}/invitations`, { email: guest.account.email, role })
  if (!invited.ok) throw new Error(`inviting answered ${invited.status}: ${await invited.text()}`)
  const { link } = (await invited.json()) as { link: string }
  const accepted = await guest.post(new URL(link).pathname.replace('/invitations/', '/api/invitations/'), {})
  if (!accepted.ok) throw new Error(`accepting answered ${accepted.status}: ${await accepted.text()}`)
}

/** Goes through a consent without a browser; the simulator must approve by itself. Answers where the browser would end. */
export async function consent(user: UserClient, authorizeUrl: string, cookie?: string): Promise<URL> {
  const answered = await fetch(authorizeUrl, { redirect: 'manual' })
  const callback = answered.headers.get('location') ?? ''
  const binding = cookie ?? `notion_oauth_binding=${user.cookies().get('notion_oauth_binding')}`
  const ended = await fetch(callback, { redirect: 'manual', headers: { cookie: binding } })
  return new URL(ended.headers.get('location') ?? 'about:blank')
}
