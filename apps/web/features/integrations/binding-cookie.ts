import 'server-only'
import { randomBytes } from 'node:crypto'
import { BINDING_COOKIE } from '@nmg/contract'
import type { App } from '@/lib/runtime.ts'

/** As long as the gateway keeps an authorization request by default. */
const LIFE_SECONDS = 600

/** 32 bytes in base64url. */
const BINDING = /^[\w-]{43}$/

/**
 * The value that ties an authorization request to this browser, and the cookie that carries it to the gateway's callback. A browser
 * that has one keeps it: two attempts in two tabs would otherwise spoil each other.
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
