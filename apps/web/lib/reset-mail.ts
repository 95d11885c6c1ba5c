import type { Mail } from './mail.ts'

/** How long a link to reset a password is good. */
export const RESET_SECONDS = 3_600

/** In the fragment, the secret of the link reaches no server's log and no other site. */
export const resetLink = (webUrl: string, token: string): string => `${webUrl}/reset-password#${token}`

export const resetMail = (to: string, link: string): Mail => ({
  to,
  subject: 'Choose a new password',
  text: [
    'Somebody, most likely you, asked for a new password for your account at the Notion MCP Gateway.',
    `Choose it here:\n${link}`,
    'The link works once, within an hour. If you did not ask for it, ignore this mail: your password stays as it is.',
  ].join('\n\n'),
})
