import type { Auth } from './auth.ts'
import type { Mail } from './mail.ts'

/** How long a link to reset a password is good. */
export const RESET_SECONDS = 3_600

/** In the fragment, the secret of the link reaches no server's log and no other site. */
export const resetLink = (webUrl: string, token: string): string => `${webUrl}/reset-password#${token}`

export const resetMail = (to: string, link: string): Mail => ({
  to,
  subject: 'Choose a new password',
  text: [
    'Someone asked to reset the password of your Notion MCP Gateway account.',
    `Choose a new password:\n${link}`,
    'The link works once and expires in one hour. If you didn’t ask for this, ignore this email; your password stays the same.',
  ].join('\n\n'),
})

/** Creates a password reset link for the account with this email; undefined if there is none. */
export async function makeResetLink(auth: Auth, webUrl: string, email: string): Promise<string | undefined> {
  const { internalAdapter } = await auth.$context
  const found = await internalAdapter.findUserByEmail(email)
  if (!found) return undefined
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  await internalAdapter.createVerificationValue({
    identifier: `reset-password:${token}`,
    value: found.user.id,
    expiresAt: new Date(Date.now() + RESET_SECONDS * 1_000),
  })
  return resetLink(webUrl, token)
}

/** Whether the token of a link was neither used nor is too old. It stays good. */
export async function isResetTokenGood(auth: Auth, token: string): Promise<boolean> {
  if (token === '') return false
  const { internalAdapter } = await auth.$context
  const found = await internalAdapter.findVerificationValue(`reset-password:${token}`)
  return found !== null && found !== undefined && found.expiresAt > new Date()
}
