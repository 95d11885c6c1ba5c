'use client'

import { isReadOnlyTool } from '@nmg/contract'
import { ChevronDown } from 'lucide-react'
import { useId, useState } from 'react'
import { Badge } from '@/components/ui/badge.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { inputStyle } from '@/components/ui/field.tsx'
import type { Tool } from './mcp.ts'

interface ToolListProps {
  readonly tools: readonly Tool[]
  readonly selected: Tool
  readonly onSelect: (name: string) => void
}

/** All listed tools: a list beside the tool, or a select above it on small screens. */
export function ToolList(props: ToolListProps) {
  return (
    <>
      <SmallToolList {...props} />
      <WideToolList {...props} />
    </>
  )
}

function SmallToolList({ tools, selected, onSelect }: ToolListProps) {
  const id = useId()
  return (
    <div className="space-y-1.5 md:hidden">
      <label htmlFor={id} className="block text-sm font-medium">
        Tool
      </label>
      <div className="relative">
        <select
          id={id}
          className={cn(inputStyle, 'appearance-none pr-9')}
          value={selected.name}
          onChange={(event) => onSelect(event.target.value)}
        >
          {tools.map((tool) => (
            <option key={tool.name} value={tool.name}>
              {tool.name}
            </option>
          ))}
        </select>
        <ChevronDown
          aria-hidden
          className="pointer-events-none absolute top-1/2 right-3 size-4 -translate-y-1/2 text-soft"
        />
      </div>
    </div>
  )
}

function WideToolList({ tools, selected, onSelect }: ToolListProps) {
  const [filter, setFilter] = useState('')
  const wanted = filter.trim().toLowerCase()
  const shown = tools.filter((tool) => `${tool.name} ${tool.description}`.toLowerCase().includes(wanted))
  return (
    <div className="hidden md:block">
      <input
        type="search"
        aria-label="Filter tools"
        placeholder={`Filter ${tools.length} tools`}
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
        className={cn(inputStyle, 'h-9 text-sm')}
      />
      <ul aria-label="Tools" className="-mx-1 mt-2 max-h-112 space-y-0.5 overflow-y-auto p-1">
        {shown.map((tool) => (
          <li key={tool.name}>
            <button
              type="button"
              aria-pressed={tool.name === selected.name}
              onClick={() => onSelect(tool.name)}
              className="flex w-full items-center justify-between gap-2 rounded-lg px-2.5 py-2 text-left text-[13px] text-soft hover:bg-sunken hover:text-ink aria-pressed:bg-sunken aria-pressed:font-medium aria-pressed:text-ink"
            >
              <span className="min-w-0 truncate">{tool.name}</span>
              <Effect tool={tool} />
            </button>
          </li>
        ))}
        {shown.length === 0 && <li className="px-2.5 py-2 text-[13px] text-soft">No matching tools.</li>}
      </ul>
    </div>
  )
}

/** True for tools on our own list of reading tools; annotations are not trusted. */
export function Effect({ tool }: { tool: Tool }) {
  if (!tool.inputSchema) return <Badge>unusable</Badge>
  return isReadOnlyTool(tool.name) ? <Badge tone="success">read</Badge> : <Badge tone="warning">write</Badge>
}
