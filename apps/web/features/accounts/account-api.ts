/** By the code that better-auth answers when it refuses. */
const sentences: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: 'This email and password do not belong together. Check both and try again.',
  INVALID_EMAIL: 'This does not look like an email address.',
  INVALID_PASSWORD: 'This is not your present password.',
  INVALID_TOKEN: 'This link was used already, or it is older than an hour. Ask for a new one.',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL:
    'There is an account with this email already. Sign in instead, or use another email.',
  PASSWORD_TOO_SHORT: 'The password is too short. Use at least 8 characters.',
  PASSWORD_TOO_LONG: 'The password is too long. Use at most 128 characters.',
  INVALID_ORIGIN:
    'This page was opened under another address than the app’s own. Open the app at its own address and try again.',
  PROVIDER_NOT_FOUND:
    'This way to sign in cannot be used at the moment. Try again in a minute, or sign in with your password.',
}

const UNKNOWN = 'That did not work, and the fault is ours. Try again in a moment.'

type Answer = { refusal: string } | { body: unknown }

async function ask(path: string, method: 'POST' | 'DELETE', body: object): Promise<Answer> {
  let answer: Response
  let content: unknown
  try {
    answer = await fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    content = await answer.json().catch(() => undefined)
  } catch {
    return { refusal: 'The app does not answer. Check your connection and try again.' }
  }
  if (answer.ok) return { body: content }
  if (answer.status === 429) {
    return { refusal: textAt(content, 'detail') || 'Too many attempts. Wait a minute and try again.' }
  }
  if (textAt(content, 'code') === 'INVALID_NAME') return { refusal: textAt(content, 'message') }
  return { refusal: sentences[textAt(content, 'code')] ?? UNKNOWN }
}

/** Sends a form to one of better-auth's endpoints. Undefined when it went well, else a sentence for the person. */
async function send(path: string, body: object): Promise<string | undefined> {
  const answer = await ask(`/api/auth${path}`, 'POST', body)
  return 'refusal' in answer ? answer.refusal : undefined
}

const textAt = (body: unknown, member: string): string => {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[member] : undefined
  return typeof value === 'string' ? value : ''
}

export const signIn = (email: string, password: string) => send('/sign-in/email', { email, password })

export const signUp = (name: string, email: string, password: string) =>
  send('/sign-up/email', { name, email, password })

export const signOut = () => send('/sign-out', {})

export const rename = (name: string) => send('/update-user', { name })

/** Sessions elsewhere end with the old password. */
export const changePassword = (currentPassword: string, newPassword: string) =>
  send('/change-password', { currentPassword, newPassword, revokeOtherSessions: true })

export const requestReset = (email: string) => send('/request-password-reset', { email })

export const resetPassword = (token: string, newPassword: string) => send('/reset-password', { token, newPassword })

/** Whether a link to reset a password still works; undefined when that could not be found out. */
export async function isResetLinkGood(token: string): Promise<boolean | undefined> {
  const answer = await ask('/api/account/reset-link', 'POST', { token })
  if ('refusal' in answer || typeof answer.body !== 'object' || answer.body === null) return undefined
  return 'isGood' in answer.body && answer.body.isGood === true
}

export const disconnectProvider = (providerId: string) => send('/unlink-account', { providerId })

async function toProvider(path: string, body: object): Promise<{ url: string } | { refusal: string }> {
  const answer = await ask(`/api/auth${path}`, 'POST', body)
  if ('refusal' in answer) return answer
  const url = textAt(answer.body, 'url')
  return url ? { url } : { refusal: UNKNOWN }
}

/** Where to go on to sign in there, and to come back to `next`. */
export const signInWith = (provider: string, next: string) =>
  toProvider('/sign-in/social', { provider, callbackURL: next, errorCallbackURL: '/sign-in' })

/** Where to go on to connect that account with one's own. */
export const connectProvider = (provider: string) =>
  toProvider('/link-social', { provider, callbackURL: '/account', errorCallbackURL: '/account' })

/** Ends one of one's own sessions; without `id`, all but this one. */
export async function endSessions(id?: string): Promise<string | undefined> {
  const answer = await ask(`/api/account/sessions${id === undefined ? '' : `/${id}`}`, 'DELETE', {})
  return 'refusal' in answer ? answer.refusal : undefined
}
