import 'server-only'
import { cleanDisplayName } from '@nmg/contract'
import type { SpaceManager } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'

/** Mails the link, if mail is set up; the user can always copy it, too. */
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
    `You are invited to a space of the Notion MCP Gateway at ${new URL(app.webUrl).host}, where a team shares its connection with Notion.`,
    `The space is called “${nameInMail(space.name)}”. You are invited by “${from}” (${user.email}); both have chosen their names themselves.`,
    `Join here:\n${link}`,
    'The link works once, within a week, for this address only. If you do not know what this is about, ignore this mail.',
  ].join('\n\n')
  const isSent = await sendMail({ to, subject: `Invitation of “${from}” to a space with Notion`, text })
  return isSent ? 'sent' : 'failed'
}

/**
 * A name in a mail that we send to strangers. Programs that show mail make links of what looks like an address, so nothing in a name does; and a
 * name from before there was a rule for names still breaks no line.
 */
function nameInMail(name: string): string {
  const plain = cleanDisplayName(name, 60) ?? 'Somebody'
  return plain.replaceAll(/[“”"]/g, '’').replaceAll(/(?<=\S)[.:/@\\](?=\S)/g, '$& ')
}
