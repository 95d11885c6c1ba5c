/** Texts of sign-in, sign-up, password reset and the account pages. */
export const texts = {
  signIn: {
    pageTitle: 'Sign in',
    title: 'Welcome back',
    lead: 'Sign in to use your team’s Notion.',
    demoLead: 'The demo has one user, Ada. Her email and password are filled in.',
    action: 'Sign in',
    signUp: 'Create an account',
    forgotPassword: 'Forgot your password?',
  },
  signUp: {
    pageTitle: 'Create an account',
    title: 'Create your account',
    lead: 'Connect Notion once for every assistant your team uses.',
    action: 'Create account',
    nameHint: 'Your first space is named after you.',
    signIn: 'Sign in',
  },
  forgotPassword: {
    title: 'Forgot your password?',
    lead: 'Enter your email to get a link for choosing a new password.',
    leadWithoutMail:
      'This installation doesn’t send email. Ask your administrator for a password reset link, which expires in one hour.',
    action: 'Send reset link',
    sent: 'If an account with this email exists, a reset link is on its way. It expires in one hour.',
    back: 'Back to sign-in',
  },
  resetPassword: {
    title: 'Choose a new password',
    lead: 'This signs you out everywhere. Sign in again with your new password.',
    label: 'New password',
    action: 'Set new password',
    done: 'Password changed.',
    signIn: 'Sign in',
    expiredTitle: 'This link no longer works',
    expired: 'It has expired or was already used. Request a new one below.',
    newLink: 'Request a new link',
  },
  account: {
    title: 'Your account',
    back: 'Back to your space',
    clients: 'Clients you have allowed',
    signOut: 'Sign out',
  },
  name: {
    title: 'Name',
    label: 'Your name',
    action: 'Save',
    done: 'Saved.',
  },
  password: {
    title: 'Password',
    currentLabel: 'Current password',
    newLabel: 'New password',
    hint: 'At least 8 characters.',
    action: 'Change password',
    done: 'Password changed. You’re signed out everywhere else.',
  },
  sessions: {
    title: 'Where you are signed in',
    list: 'Sessions',
    current: 'This session',
    signOut: 'Sign out',
    signOutOthers: 'Sign out everywhere else',
  },
  signInMethods: {
    title: 'Other ways to sign in',
    connected: 'Connected',
    connect: 'Connect',
    disconnect: 'Disconnect',
  },
} as const

/** Failures of better-auth's endpoints, by error code. */
export const authErrors: Readonly<Record<string, string>> = {
  INVALID_EMAIL_OR_PASSWORD: 'Incorrect email or password.',
  INVALID_EMAIL: 'Enter a valid email address.',
  INVALID_PASSWORD: 'Incorrect current password.',
  INVALID_TOKEN: 'This link has expired or was already used. Request a new one.',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: 'An account with this email already exists. Sign in, or use another email.',
  PASSWORD_TOO_SHORT: 'The password is too short. Use at least 8 characters.',
  PASSWORD_TOO_LONG: 'The password is too long. Use at most 128 characters.',
  INVALID_ORIGIN: 'This page was opened at the wrong address. Open the app at its own address and try again.',
  PROVIDER_NOT_FOUND:
    'This sign-in method isn’t available right now. Try again in a minute, or sign in with your password.',
}

/** Failures of a sign-in with a provider, by the code in the query of the callback. */
export const providerErrors: Readonly<Record<string, string>> = {
  account_not_linked:
    'An account with this email already exists. Sign in with your password, then connect this sign-in method on your account page.',
  access_denied: 'Sign-in was declined. Try again, or use another sign-in method.',
  email_not_found: 'That account has no email address, which is required here. Use another sign-in method.',
  unable_to_get_user_info: 'Couldn’t verify your identity with the sign-in service. Contact your administrator.',
  "email_doesn't_match": 'That account has a different email address, so it wasn’t connected.',
  account_already_linked_to_different_user: 'That account is already connected to another user.',
}

export const unknownProviderError = 'Sign-in failed. Try again, or use another sign-in method.'
