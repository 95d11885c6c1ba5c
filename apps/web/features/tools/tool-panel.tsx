'use client'

import { LoaderCircle } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../../components/ui/button.tsx'
import { Card } from '../../components/ui/card.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { CallResult } from './call-result.tsx'
import type { Tool } from './mcp.ts'
import { ToolForm } from './tool-form.tsx'
import { Effect, ToolList } from './tool-list.tsx'
import { useTools, type ToolsControl } from './use-tools.ts'

const SEARCH = 'notion-search'
const FETCH = 'notion-fetch'

interface ToolPanelProps {
  readonly spaceId: string
  readonly onTrouble: (code: string) => void
  readonly hasLinks: boolean
}

/** Any tool of the space's Notion, tried by hand. Shown while the space is connected. */
export function ToolPanel({ spaceId, onTrouble, hasLinks }: ToolPanelProps) {
  const control = useTools(spaceId, onTrouble)
  return (
    <Card aria-labelledby="tools-title" className="p-5 sm:p-6">
      <h2 id="tools-title" className="font-semibold tracking-tight">
        Try a tool
      </h2>
      <p className="mt-1 mb-5 text-sm text-pretty text-soft">
        Every call goes through the gateway to Notion, exactly as an assistant’s would.
      </p>
      <Tools control={control} hasLinks={hasLinks} />
    </Card>
  )
}

function Tools({ control, hasLinks }: { control: ToolsControl; hasLinks: boolean }) {
  const { tools } = control
  switch (tools.status) {
    case 'loading':
      return (
        <p role="status" className="flex h-24 items-center justify-center gap-2 text-sm text-soft">
          <LoaderCircle aria-hidden className="size-4 animate-spin" />
          Asking Notion for its tools…
        </p>
      )
    case 'failed':
      return (
        <div className="space-y-3">
          <Notice tone="danger" title="The tools could not be read">
            {tools.trouble.message}
          </Notice>
          <Button look="secondary" onClick={control.reload}>
            Try again
          </Button>
        </div>
      )
    case 'ready':
      return <Workbench tools={tools.tools} control={control} hasLinks={hasLinks} />
  }
}

function Workbench({ tools, control, hasLinks }: { tools: readonly Tool[]; control: ToolsControl; hasLinks: boolean }) {
  const [name, setName] = useState(SEARCH)
  const tool = tools.find((candidate) => candidate.name === name) ?? tools[0]
  if (!tool) return <p className="text-sm text-soft">Notion lists no tools for this connection.</p>

  const { call } = control
  const canRead = tools.some((candidate) => candidate.name === FETCH)
  return (
    <div className="grid gap-5 md:grid-cols-[15rem_minmax(0,1fr)] md:gap-7">
      <ToolList
        tools={tools}
        selected={tool}
        onSelect={(selected) => {
          control.clear()
          setName(selected)
        }}
      />
      <div className="min-w-0 space-y-5">
        <ToolHeading key={`about ${tool.name}`} tool={tool} />
        <ToolForm
          key={tool.name}
          tool={tool}
          busy={call.status === 'running'}
          onRun={(args) => control.run(tool.name, args)}
          onCancel={control.cancel}
        />
        <div aria-live="polite">
          {call.status === 'failed' && <Notice tone="danger">{call.trouble.message}</Notice>}
          {call.status === 'done' && (
            <CallResult
              key={`${call.call.toolName} ${call.call.tookMs}`}
              call={call.call}
              hasLinks={hasLinks}
              onRead={canRead ? (id) => control.run(FETCH, { id }) : undefined}
            />
          )}
        </div>
      </div>
    </div>
  )
}

/** Descriptions are written for language models and run to pages; people start with the first line. */
function ToolHeading({ tool }: { tool: Tool }) {
  const [isWhole, setWhole] = useState(false)
  const description = tool.description?.trim() ?? ''
  const [firstLine = ''] = description.split('\n')
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2">
        <h3 className="font-mono text-sm font-semibold">{tool.name}</h3>
        <Effect tool={tool} />
      </div>
      {description && (
        <p className="mt-1.5 text-sm break-words whitespace-pre-line text-soft">
          {isWhole ? description : firstLine}
          {firstLine !== description && (
            <button
              type="button"
              aria-expanded={isWhole}
              onClick={() => setWhole(!isWhole)}
              className="ml-1.5 rounded-sm font-medium text-link hover:underline"
            >
              {isWhole ? 'Show less' : 'Show more'}
            </button>
          )}
        </p>
      )}
    </div>
  )
}
