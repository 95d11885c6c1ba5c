/** By the code that better-auth answers when it refuses. */
const sentences: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: 'This email and password do not belong together. Check both and try again.',
  INVALID_EMAIL: 'This does not look like an email address.',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL:
    'There is an account with this email already. Sign in instead, or use another email.',
  PASSWORD_TOO_SHORT: 'The password is too short. Use at least 8 characters.',
  PASSWORD_TOO_LONG: 'The password is too long. Use at most 128 characters.',
  INVALID_ORIGIN:
    'This page was opened under another address than the app’s own. Open the app at its own address and try again.',
}

/** Sends a form to one of better-auth's endpoints. Undefined when it went well, else a sentence for the person. */
async function send(path: string, body: Record<string, string>): Promise<string | undefined> {
  let answer: Response
  try {
    answer = await fetch(`/api/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  } catch {
    return 'The app does not answer. Check your connection and try again.'
  }
  if (answer.ok) return undefined
  if (answer.status === 429) return 'Too many attempts. Wait a minute and try again.'
  return (
    sentences[codeOf(await answer.json().catch(() => undefined))] ??
    'That did not work, and the fault is ours. Try again in a moment.'
  )
}

const codeOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string' ? body.code : ''

export const signIn = (email: string, password: string) => send('/sign-in/email', { email, password })

export const signUp = (name: string, email: string, password: string) =>
  send('/sign-up/email', { name, email, password })

export const signOut = () => send('/sign-out', {})
