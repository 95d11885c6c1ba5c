'use client'

import { isReadOnlyTool } from '@nmg/contract'
import { LoaderCircle } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { Markdown } from '@/components/markdown.tsx'
import { draftsOf } from '@/lib/drafts/use-draft.ts'
import { CallAsCode } from './call-as-code.tsx'
import { CallResult } from './call-result.tsx'
import type { FormDraft } from './form-draft.ts'
import type { Tool } from './mcp.ts'
import { ToolForm } from './tool-form.tsx'
import { Effect, ToolList } from './tool-list.tsx'
import { PastCalls, usePastCalls } from './past-calls.tsx'
import { useTools, type ToolsControl } from './use-tools.ts'

/** Selected first if listed. */
const FIRST = 'notion-search'
const FETCH = 'notion-fetch'

interface ToolPanelProps {
  /** Whose unsent input is kept. */
  readonly userId: string
  readonly spaceId: string
  readonly onTrouble: (code: string) => void
  readonly hasLinks: boolean
  /** The space's MCP endpoint, for clients with a key of their own. */
  readonly endpoint: string
}

/** Runs any tool of the space's Notion. Shown while the space is connected. */
export function ToolPanel({ spaceId, onTrouble, ...rest }: ToolPanelProps) {
  const past = usePastCalls(spaceId)
  const control = useTools(spaceId, onTrouble, past.keep)
  return (
    <Card aria-labelledby="tools-title" className="p-5 sm:p-6">
      <h2 id="tools-title" className="font-semibold tracking-tight">
        Try a tool
      </h2>
      <p className="mt-1 mb-5 text-sm text-pretty text-soft">
        Calls go through the gateway to Notion, just like an assistant’s.
      </p>
      <Tools control={control} past={past} spaceId={spaceId} {...rest} />
    </Card>
  )
}

type ToolsProps = Omit<ToolPanelProps, 'onTrouble'> & {
  readonly control: ToolsControl
  readonly past: ReturnType<typeof usePastCalls>
}

function Tools(props: ToolsProps) {
  const { tools, reload } = props.control
  switch (tools.status) {
    case 'loading':
      return (
        <p role="status" className="flex h-24 items-center justify-center gap-2 text-sm text-soft">
          <LoaderCircle aria-hidden className="size-4 animate-spin" />
          Loading Notion’s tools…
        </p>
      )
    case 'failed':
      return (
        <div className="space-y-3">
          <Notice tone="danger" title="Couldn’t load Notion’s tools">
            {tools.trouble.message}
          </Notice>
          <Button look="secondary" onClick={reload}>
            Try again
          </Button>
        </div>
      )
    case 'ready':
      return <Workbench tools={tools.tools} {...props} />
  }
}

/** What the form shows; another round is another form. */
interface Shown {
  readonly name: string
  readonly round: number
}

function Workbench({
  tools,
  control,
  past,
  spaceId,
  userId,
  hasLinks,
  endpoint,
}: ToolsProps & { tools: readonly Tool[] }) {
  const [shown, setShown] = useState<Shown>({ name: FIRST, round: 0 })
  const tool = tools.find((candidate) => candidate.name === shown.name) ?? tools[0]
  if (!tool) return <p className="text-sm text-soft">Notion lists no tools for this connection.</p>

  const { call, args } = control
  const canRead = tools.some((candidate) => candidate.name === FETCH)
  const draftName = (name: string) => `tool:${spaceId}:${name}`
  const show = (name: string, args?: Record<string, unknown>) => {
    control.clear()
    if (args) draftsOf(userId).save(draftName(name), { args, texts: {} } satisfies FormDraft)
    setShown({ name, round: shown.round + 1 })
  }
  return (
    <>
      <div className="grid gap-5 md:grid-cols-[15rem_minmax(0,1fr)] md:gap-7">
        <ToolList tools={tools} selected={tool} onSelect={(selected) => show(selected)} />
        <div className="min-w-0 space-y-5">
          <ToolHeading key={`about ${tool.name}`} tool={tool} />
          {tool.inputSchema ? (
            <ToolForm
              key={`${tool.name} ${shown.round}`}
              toolName={tool.name}
              inputSchema={tool.inputSchema}
              userId={userId}
              draftName={draftName(tool.name)}
              hasLinks={hasLinks}
              busy={call.status === 'running'}
              onRun={(chosen) => control.run(tool.name, chosen)}
              onCancel={control.cancel}
            />
          ) : (
            <Notice tone="warning" title="This tool can’t be used">
              Notion lists it without a schema of its arguments, so it can’t be called.
            </Notice>
          )}
          <div aria-live="polite" className="space-y-4">
            <CallTrouble call={call} />
            {call.status === 'done' && (
              <CallResult
                key={`${call.call.toolName} ${call.call.tookMs}`}
                call={call.call}
                hasLinks={hasLinks}
                onRead={canRead ? (id) => void control.run(FETCH, { id }) : undefined}
              />
            )}
            {call.status === 'done' && args && <CallAsCode endpoint={endpoint} tool={call.call.toolName} args={args} />}
          </div>
        </div>
      </div>
      <PastCalls control={past} onUse={(used) => show(used.tool, used.arguments)} />
    </>
  )
}

/** Explains a missing result. */
function CallTrouble({ call }: { call: ToolsControl['call'] }) {
  if (call.status === 'cancelled' && !isReadOnlyTool(call.toolName)) {
    return (
      <Notice tone="warning" title="Cancelled">
        Notion may have applied the call; check before retrying.
      </Notice>
    )
  }
  if (call.status !== 'failed') return null
  const { code, message } = call.trouble
  const canRepeat = code === 'interrupted' && isReadOnlyTool(call.toolName)
  return (
    <Notice tone="danger" {...(code === 'server_error' && { title: 'Notion returned an error' })}>
      <span dir="auto" className="break-words whitespace-pre-wrap">
        {canRepeat
          ? 'Interrupted before a result arrived. This tool changes nothing, so you can run it again.'
          : message}
      </span>
    </Notice>
  )
}

/** Size limit of a rendered description. */
const LONGEST_DESCRIPTION = 20_000

/** The first line of a description, expandable: descriptions are written for language models and can be long. */
function ToolHeading({ tool }: { tool: Tool }) {
  const [isWhole, setWhole] = useState(false)
  const description = tool.description.trim().slice(0, LONGEST_DESCRIPTION)
  const [firstLine = ''] = description.split('\n')
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2">
        <h3 className="font-mono text-sm font-semibold">{tool.name}</h3>
        <Effect tool={tool} />
      </div>
      {description && (
        <div className="mt-1.5 text-sm break-words text-soft">
          <Markdown text={isWhole ? description : firstLine} />
          {firstLine !== description && (
            <button
              type="button"
              aria-expanded={isWhole}
              onClick={() => setWhole(!isWhole)}
              className="mt-1 rounded-sm font-medium text-link hover:underline"
            >
              {isWhole ? 'Show less' : 'Show more'}
            </button>
          )}
        </div>
      )}
    </div>
  )
}
