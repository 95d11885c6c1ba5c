import * as z from 'zod/mini'
import { callApi, readApi, type ApiCall } from '@/lib/api-client.ts'
import { authErrors } from './texts.ts'

const explain: ApiCall['explain'] = ({ code = '', message }) =>
  // This app validates names itself; its message names the reason.
  code === 'INVALID_NAME' ? message : authErrors[code]

/** Request options for one of better-auth's endpoints. */
const post = (body: object) => ({ method: 'POST', body, explain }) as const

const send = (path: string, body: object) => callApi(`/api/auth${path}`, post(body))

export const signIn = (email: string, password: string) => send('/sign-in/email', { email, password })

export const signUp = (name: string, email: string, password: string) =>
  send('/sign-up/email', { name, email, password })

export const rename = (name: string) => send('/update-user', { name })

/** Also revokes the user's other sessions. */
export const changePassword = (currentPassword: string, newPassword: string) =>
  send('/change-password', { currentPassword, newPassword, revokeOtherSessions: true })

export const requestReset = (email: string) => send('/request-password-reset', { email })

export const resetPassword = (token: string, newPassword: string) => send('/reset-password', { token, newPassword })

/** True if the password reset link is still valid. */
export const isResetLinkGood = async (token: string): Promise<boolean> =>
  (await readApi('/api/account/reset-link', z.object({ isGood: z.boolean() }), post({ token }))).isGood

export const disconnectProvider = (providerId: string) => send('/unlink-account', { providerId })

const Redirect = z.object({ url: z.string().check(z.minLength(1)) })

/** Returns the provider's authorization URL; the user returns to `next`. */
export const signInWith = async (provider: string, next: string): Promise<string> =>
  (
    await readApi(
      '/api/auth/sign-in/social',
      Redirect,
      post({ provider, callbackURL: next, errorCallbackURL: '/sign-in' }),
    )
  ).url

/** Returns the provider's authorization URL for connecting the provider's account to the current user. */
export const connectProvider = async (provider: string): Promise<string> =>
  (
    await readApi(
      '/api/auth/link-social',
      Redirect,
      post({ provider, callbackURL: '/account', errorCallbackURL: '/account' }),
    )
  ).url

/** Revokes one of the user's sessions; without `id`, all except the current one. */
export const endSessions = (id?: string) =>
  callApi(`/api/account/sessions${id === undefined ? '' : `/${id}`}`, { method: 'DELETE', body: {} })
