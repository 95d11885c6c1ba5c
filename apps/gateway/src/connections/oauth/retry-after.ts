import { LONGEST_PAUSE_MS } from '../refresh-schedule.ts'

/** A longer wait would put a connection at risk for a slip of the server's. */
const MAX_RETRY_AFTER_SECONDS = LONGEST_PAUSE_MS / 1000

/**
 * Seconds until `Retry-After`, in either of its forms ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)), an hour at most;
 * undefined when there is none, or it is past.
 */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? ''
  // A date is measured by the clock of the server that wrote it.
  const sentAt = Date.parse(headers.get('date') ?? '') || Date.now()
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - sentAt) / 1000)
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined
}
