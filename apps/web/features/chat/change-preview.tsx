'use client'

import type { ReactNode } from 'react'
import { JsonText } from '../../components/json-text.tsx'
import { PageText } from '../../components/notion/page-text.tsx'
import { isArgs, newTitles, textOf } from './tool-words.ts'

type Args = Readonly<Record<string, unknown>>

/** What a call would change, by the name of the tool; for others, all that would be sent. */
const previews: Readonly<Record<string, (args: Args) => ReactNode | undefined>> = {
  'notion-create-pages': newPages,
  'notion-update-page': pageChange,
  'notion-create-comment': (args) =>
    textOf(args['markdown']) ? <Piece label="Comment" text={textOf(args['markdown'])} tone="added" /> : undefined,
}

/** What the person decides about: the call as the server keeps it, and nothing that the model says of it. */
export function ChangePreview({ toolName, input }: { toolName: string; input: unknown }) {
  const args = isArgs(input) ? input : {}
  const preview = previews[toolName]?.(args)
  return (
    <div className="space-y-3">
      {args['allow_deleting_content'] === true && (
        <p className="text-sm font-medium text-danger">This may move pages and databases inside it to the trash.</p>
      )}
      {preview}
      {preview === undefined ? (
        <JsonText value={input} label="What would be sent" />
      ) : (
        <details>
          <summary className="w-fit cursor-pointer rounded-sm text-[13px] font-medium text-soft hover:text-ink">
            Everything that would be sent
          </summary>
          <div className="mt-2">
            <JsonText value={input} label="Everything that would be sent" />
          </div>
        </details>
      )}
    </div>
  )
}

function newPages(args: Args): ReactNode | undefined {
  const pages = Array.isArray(args['pages']) ? args['pages'].filter(isArgs) : []
  if (pages.length === 0) return undefined
  const titles = newTitles(args)
  return (
    <ul className="space-y-3">
      {pages.slice(0, 20).map((page, index) => (
        // Calls are never reordered.
        <li key={index}>
          <Piece label={titles[index] ?? ''} text={textOf(page['content']) || 'An empty page.'} tone="added" />
          {isArgs(page['properties']) && <Values values={page['properties']} />}
        </li>
      ))}
      {pages.length > 20 && <li className="text-[13px] text-soft">and {pages.length - 20} more</li>}
    </ul>
  )
}

function pageChange(args: Args): ReactNode | undefined {
  switch (args['command']) {
    case 'update_properties':
      return isArgs(args['properties']) ? <Values values={args['properties']} withTitle /> : undefined
    case 'insert_content': {
      const position = isArgs(args['position']) ? textOf(args['position']['type']) : 'end'
      return <Piece label={`Added at the ${position || 'end'}`} text={textOf(args['content'])} tone="added" />
    }
    case 'replace_content':
      return <Piece label="The whole content becomes" text={textOf(args['new_str'])} tone="added" />
    case 'update_content': {
      const updates = Array.isArray(args['content_updates']) ? args['content_updates'].filter(isArgs) : []
      return updates.map((update, index) => (
        // Calls are never reordered.
        <div key={index} className="grid gap-1.5">
          <Piece label="Removed" text={textOf(update['old_str'])} tone="removed" />
          <Piece label="In its place" text={textOf(update['new_str'])} tone="added" />
        </div>
      ))
    }
    default:
      return undefined
  }
}

const tones = {
  added: 'border-l-success bg-success-soft/50',
  removed: 'border-l-danger bg-danger-soft/50',
} as const

function Piece({ label, text, tone }: { label: string; text: string; tone: keyof typeof tones }) {
  return (
    <figure className={`rounded-r-lg border-l-3 px-3.5 py-2.5 ${tones[tone]}`}>
      <figcaption className="text-[13px] font-semibold break-words">{label}</figcaption>
      <div
        tabIndex={text.length > 600 ? 0 : undefined}
        role={text.length > 600 ? 'region' : undefined}
        aria-label={text.length > 600 ? label : undefined}
        className="max-h-64 overflow-y-auto"
      >
        <PageText text={text.slice(0, 10_000)} />
      </div>
    </figure>
  )
}

function Values({ values, withTitle = false }: { values: Args; withTitle?: boolean }) {
  const shown = Object.entries(values).filter(([name]) => withTitle || name !== 'title')
  if (shown.length === 0) return null
  return (
    <dl className="mt-2 grid grid-cols-[minmax(0,auto)_minmax(0,1fr)] gap-x-4 gap-y-1 text-[13px]">
      {shown.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="font-medium break-words">{name}</dt>
          <dd className="break-words text-soft">
            {value === null ? '(emptied)' : typeof value === 'string' ? value : JSON.stringify(value)}
          </dd>
        </div>
      ))}
    </dl>
  )
}
