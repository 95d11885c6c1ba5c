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
