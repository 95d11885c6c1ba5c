'use client'

import { useSyncExternalStore } from 'react'

const styles = { dateStyle: 'medium', timeStyle: 'short' } as const

const never = () => () => undefined

/** A point in time in the reader's own zone. The server does not know that zone, so it writes UTC and says so. */
export function Time({ at }: { at: string }) {
  const text = useSyncExternalStore(
    never,
    () => new Intl.DateTimeFormat(undefined, styles).format(new Date(at)),
    () => `${new Intl.DateTimeFormat('en-GB', { ...styles, timeZone: 'UTC' }).format(new Date(at))} UTC`,
  )
  return <time dateTime={at}>{text}</time>
}
