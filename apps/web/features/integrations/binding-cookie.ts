import 'server-only'
import { randomBytes } from 'node:crypto'
import { BINDING_COOKIE } from '@nmg/contract'
import type { App } from '@/lib/runtime.ts'

/** Default lifetime of an authorization request at the gateway. */
const LIFE_SECONDS = 600

/** 32 bytes in base64url. */
const BINDING = /^[\w-]{43}$/

/**
 * Value that binds an authorization request to this browser, and the cookie that carries it to the gateway's callback. An existing value
 * is reused, so that attempts in two tabs do not invalidate each other.
 */
export function browserBinding(
  app: App<'webUrl' | 'bindingCookieDomain'>,
  request: { cookies: { get(name: string): { value: string } | undefined } },
): {
  value: string
  setCookie: string
} {
  const present = request.cookies.get(BINDING_COOKIE)?.value
  const value = present && BINDING.test(present) ? present : randomBytes(32).toString('base64url')
  const { webUrl, bindingCookieDomain } = app
  const setCookie = [
    `${BINDING_COOKIE}=${value}`,
    'Path=/',
    `Max-Age=${LIFE_SECONDS}`,
    'HttpOnly',
    // Lax: the callback is a navigation that comes from Notion's site.
    'SameSite=Lax',
    ...(webUrl.startsWith('https:') ? ['Secure'] : []),
    ...(bindingCookieDomain ? [`Domain=${bindingCookieDomain}`] : []),
  ].join('; ')
  return { value, setCookie }
}
