import 'server-only'
import type { SpaceManager } from '../../lib/members.ts'
import { runtime } from '../../lib/runtime.ts'

/** Mails the link, if mail is set up; the person can always copy it, too. */
export async function sendInvitation(
  { person, space }: SpaceManager,
  to: string,
  link: string,
): Promise<'sent' | 'not_sent' | 'failed'> {
  const { sendMail } = runtime()
  if (!sendMail) return 'not_sent'
  const text = [
    `${person.name} (${person.email}) invites you to the space “${space.name}”, where a team shares its connection with Notion.`,
    `Join here:\n${link}`,
    'The link works once, within a week, for this address only. If you do not know what this is about, ignore this mail.',
  ].join('\n\n')
  const isSent = await sendMail({ to, subject: `${person.name} invites you to ${space.name}`, text })
  return isSent ? 'sent' : 'failed'
}
