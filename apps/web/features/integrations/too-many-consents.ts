/**
 * Message for a space that has started too many consents.
 *
 * @param retryAfter The `Retry-After` header: seconds or an HTTP date (RFC 9110 §10.2.3); null when there is none.
 */
export function tooManyConsentsText(retryAfter: string | null, now: Date): string {
  return `This space has started connecting to Notion too many times. Try again ${whenOf(retryAfter, now)}.`
}

function whenOf(retryAfter: string | null, now: Date): string {
  const seconds = secondsOf(retryAfter, now)
  if (seconds === undefined) return 'in an hour'
  if (seconds <= 90) return inUnits(Math.max(1, Math.ceil(seconds)), 'second')
  return inUnits(Math.ceil(seconds / 60), 'minute')
}

function secondsOf(retryAfter: string | null, now: Date): number | undefined {
  if (retryAfter === null) return undefined
  if (/^\d{1,6}$/.test(retryAfter)) return Number(retryAfter)
  // Date.parse also accepts text that is no HTTP date.
  if (!/^\w{3}, .* GMT$/.test(retryAfter)) return undefined
  const seconds = (Date.parse(retryAfter) - now.getTime()) / 1_000
  return Number.isFinite(seconds) ? seconds : undefined
}

const inUnits = (count: number, unit: 'second' | 'minute') => `in ${count} ${unit}${count === 1 ? '' : 's'}`
