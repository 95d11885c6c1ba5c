import type { Auth } from './auth.ts'
import { RESET_SECONDS, resetLink } from './reset-mail.ts'

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
