import { createTransport } from 'nodemailer'
import { log } from './log.ts'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Whether the mail was handed over to the server that delivers it. */
export type SendMail = (mail: Mail) => Promise<boolean>

/** The SMTP server either takes a mail within this time, or the user gets the link on the screen. */
const DEADLINE_MS = 10_000

/** Sends mail as the settings say; undefined when they say nothing. */
export function mailer(settings: {
  readonly SMTP_URL?: string | undefined
  readonly MAIL_FROM?: string | undefined
}): SendMail | undefined {
  if (!settings.SMTP_URL || !settings.MAIL_FROM) return undefined
  const transport = createTransport(
    {
      url: settings.SMTP_URL,
      connectionTimeout: DEADLINE_MS,
      greetingTimeout: DEADLINE_MS,
      socketTimeout: DEADLINE_MS,
      // Texts are ours; nothing is to be read from files or addresses that they might name.
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from: settings.MAIL_FROM },
  )
  return async ({ to, subject, text }) => {
    try {
      // An object, because a string is parsed and could contain several recipients.
      await transport.sendMail({ to: { name: '', address: to }, subject, text })
      return true
    } catch (error) {
      // Log only the code: the message may quote the server's response with addresses.
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
      log.error('mail.not_sent', { code })
      return false
    }
  }
}
