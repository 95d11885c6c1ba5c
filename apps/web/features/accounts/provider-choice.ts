/** A way to sign in, as its button names it. */
export interface ProviderChoice {
  readonly id: string
  readonly name: string
}

const errors: Record<string, string> = {
  account_not_linked:
    'There is an account with this email already. Sign in with its password, and connect this way to sign in on your account page.',
  access_denied: 'Signing in there was declined. Try again, or use another way.',
  email_not_found: 'That account has no email address, which is needed here. Use another way.',
  unable_to_get_user_info:
    'The sign-in service did not say, in a way that can be verified, who you are. Tell the operator.',
  "email_doesn't_match": 'That account has another email address than this one, so it was not connected.',
  account_already_linked_to_different_user: 'That account is connected with somebody else’s account here.',
}

/** What to tell about `error` of the way back; the address can hold anything. */
export const providerError = (code: string): string =>
  Object.hasOwn(errors, code)
    ? (errors[code] ?? '')
    : 'Signing in that way did not work. Try again, or use another way.'
