import { MAX_PAUSE_MS } from '../refresh-schedule.ts'

/** A longer wait, probably a mistake of the server, would put the connection at risk. */
const MAX_RETRY_AFTER_SECONDS = MAX_PAUSE_MS / 1000

/**
 * Seconds until `Retry-After`, in either of its forms ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)), an hour at most;
 * undefined if it is missing, invalid or in the past.
 */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? ''
  // A date is relative to the server's clock.
  const sentAt = Date.parse(headers.get('date') ?? '') || Date.now()
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - sentAt) / 1000)
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined
}
