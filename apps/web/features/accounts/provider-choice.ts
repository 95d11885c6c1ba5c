/** A way to sign in, as its button names it. */
export interface ProviderChoice {
  readonly id: string
  readonly name: string
}

const errors: Record<string, string> = {
  account_not_linked:
    'An account with this email already exists. Sign in with your password, then connect this sign-in method on your account page.',
  access_denied: 'Sign-in was declined. Try again, or use another sign-in method.',
  email_not_found: 'That account has no email address, which is required here. Use another sign-in method.',
  unable_to_get_user_info: 'Couldn’t verify your identity with the sign-in service. Contact your administrator.',
  "email_doesn't_match": 'That account has a different email address, so it wasn’t connected.',
  account_already_linked_to_different_user: 'That account is already connected to another user.',
}

/** What to tell about `error` of the way back; the address can hold anything. */
export const providerError = (code: string): string =>
  Object.hasOwn(errors, code) ? (errors[code] ?? '') : 'Sign-in failed. Try again, or use another sign-in method.'
