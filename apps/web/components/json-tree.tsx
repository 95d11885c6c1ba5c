'use client'

import { useState } from 'react'

/** Members that are shown at once; the rest when asked for. */
const AT_ONCE = 50

/** JSON as a tree, of which only what is open is in the document. */
export function JsonTree({ value, name, isOpen = false }: { value: unknown; name?: string; isOpen?: boolean }) {
  const [open, setOpen] = useState(isOpen)
  const [limit, setLimit] = useState(AT_ONCE)
  const label = name === undefined ? null : <span className="text-soft">{name}: </span>
  if (typeof value !== 'object' || value === null) {
    const text = JSON.stringify(value) ?? 'undefined'
    return (
      <div className="break-words whitespace-pre-wrap">
        {label}
        {text.length > 2_000 ? `${text.slice(0, 2_000)}… (${text.length} characters; see Raw JSON)` : text}
      </div>
    )
  }
  const isList = Array.isArray(value)
  const members = Object.entries(value)
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="rounded-sm text-left hover:underline"
      >
        <span aria-hidden className="inline-block w-4 text-faint">
          {open ? '▾' : '▸'}
        </span>
        {label}
        <span className="text-soft">{isList ? `[${members.length}]` : `{${members.length}}`}</span>
      </button>
      {open && (
        <div className="ml-1.5 space-y-0.5 border-l border-line pl-3.5">
          {members.slice(0, limit).map(([key, member]) => (
            <JsonTree key={key} name={key} value={member} />
          ))}
          {members.length > limit && (
            <button
              type="button"
              className="rounded-sm font-medium text-link hover:underline"
              onClick={() => setLimit(limit + 500)}
            >
              {members.length - limit} more
            </button>
          )}
        </div>
      )}
    </div>
  )
}
