'use client'

import { useState } from 'react'

/** As much as a browser lays out without a pause that is felt. */
const AT_ONCE = 20_000

/** A value as JSON; of a very long one the beginning, until more is asked for. */
export function JsonText({ value, label }: { value: unknown; label: string }) {
  const [isWhole, setWhole] = useState(false)
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')
  const isCut = !isWhole && text.length > AT_ONCE
  return (
    <div className="space-y-1.5">
      <pre
        tabIndex={0}
        aria-label={label}
        className="max-h-80 overflow-auto rounded-lg bg-sunken p-3 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap"
      >
        {isCut ? text.slice(0, AT_ONCE) : text}
      </pre>
      {isCut && (
        <button
          type="button"
          className="rounded-sm text-[13px] font-medium text-link hover:underline"
          onClick={() => setWhole(true)}
        >
          Show all {Math.round(text.length / 1024)} kB
        </button>
      )}
    </div>
  )
}
