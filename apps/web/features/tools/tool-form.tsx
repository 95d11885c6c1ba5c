'use client'

import { Play, Search } from 'lucide-react'
import { useId, useState, type FormEvent } from 'react'
import { z } from 'zod'
import { Button } from '../../components/ui/button.tsx'
import { inputStyle } from '../../components/ui/field.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { cn } from '../../components/ui/class-names.ts'
import type { Tool } from './mcp.ts'

export interface ToolFormProps {
  readonly tool: Tool
  readonly busy: boolean
  readonly onRun: (args: Record<string, unknown>) => void
  readonly onCancel: () => void
}

/** The arguments of one call: a search box for the search, JSON for every other tool. */
export function ToolForm(props: ToolFormProps) {
  return props.tool.name === 'notion-search' ? <SearchForm {...props} /> : <JsonForm {...props} />
}

function SearchForm({ busy, onRun, onCancel }: ToolFormProps) {
  const id = useId()
  const run = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const query = new FormData(event.currentTarget).get('query')
    if (typeof query === 'string' && query.trim() !== '') onRun({ query: query.trim() })
  }
  return (
    <form role="search" onSubmit={run}>
      <label htmlFor={id} className="sr-only">
        Search Notion
      </label>
      <div className="flex flex-wrap gap-2">
        <div className="relative min-w-48 flex-1">
          <Search
            aria-hidden
            className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-faint"
          />
          <input
            id={id}
            name="query"
            type="search"
            required
            placeholder="Search Notion"
            autoComplete="off"
            className={cn(inputStyle, 'pl-9')}
          />
        </div>
        <RunButtons busy={busy} onCancel={onCancel} action="Search" />
      </div>
    </form>
  )
}

const Arguments = z.record(z.string(), z.unknown())

function JsonForm({ tool, busy, onRun, onCancel }: ToolFormProps) {
  const id = useId()
  const [complaint, setComplaint] = useState<string>()
  const run = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const args = argumentsOf(new FormData(event.currentTarget).get('arguments'))
    setComplaint(args === undefined ? 'The arguments have to be a JSON object, as {"id": "self"}.' : undefined)
    if (args) onRun(args)
  }
  return (
    <form onSubmit={run} className="space-y-3">
      <div className="space-y-1.5">
        <label htmlFor={id} className="block text-sm font-medium">
          Arguments (JSON)
        </label>
        <textarea
          id={id}
          name="arguments"
          rows={5}
          spellCheck={false}
          defaultValue={JSON.stringify(skeletonOf(tool), null, 2)}
          className={cn(inputStyle, 'block h-auto py-2 font-mono text-[13px] leading-relaxed')}
        />
      </div>
      {complaint && <Notice tone="danger">{complaint}</Notice>}
      <RunButtons busy={busy} onCancel={onCancel} action="Run" />
    </form>
  )
}

function RunButtons({ busy, action, onCancel }: { busy: boolean; action: string; onCancel: () => void }) {
  return (
    <div className="flex gap-2">
      <Button type="submit" busy={busy}>
        {!busy && action === 'Run' && <Play aria-hidden />}
        {action}
      </Button>
      {busy && (
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
      )}
    </div>
  )
}

function argumentsOf(text: FormDataEntryValue | null): Record<string, unknown> | undefined {
  if (typeof text !== 'string') return undefined
  try {
    return Arguments.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** The members that a call must have, empty. */
function skeletonOf(tool: Tool): Record<string, unknown> {
  return Object.fromEntries((tool.inputSchema.required ?? []).map((name) => [name, '']))
}
