import 'server-only'
import { cleanDisplayName } from '@nmg/contract'
import type { SpaceManager } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'

/** Emails the link if SMTP is configured. The inviting user can copy the link in any case. */
export async function sendInvitation(
  app: App<'webUrl' | 'sendMail'>,
  { user, space }: SpaceManager,
  to: string,
  link: string,
): Promise<'sent' | 'not_sent' | 'failed'> {
  const { sendMail } = app
  if (!sendMail) return 'not_sent'
  const from = nameInMail(user.name)
  const text = [
    `You’re invited to a space in the Notion MCP Gateway at ${new URL(app.webUrl).host}, where a team shares its connection to Notion.`,
    `The space is called “${nameInMail(space.name)}”. The invitation comes from “${from}” (${user.email}). Both names were chosen by users.`,
    `Join here:\n${link}`,
    'The link works once, for this address only, and expires in one week. If you weren’t expecting this, ignore this email.',
  ].join('\n\n')
  const isSent = await sendMail({ to, subject: `“${from}” invited you to a space with Notion`, text })
  return isSent ? 'sent' : 'failed'
}

/**
 * Makes a user-chosen name safe for mail to strangers: mail clients turn URL-like text into links, so none is left, and names stored before
 * validation existed cannot contain line breaks.
 */
function nameInMail(name: string): string {
  const plain = cleanDisplayName(name, 60) ?? 'Someone'
  return plain.replaceAll(/[“”"]/g, '’').replaceAll(/(?<=\S)[.:/@\\](?=\S)/g, '$& ')
}
