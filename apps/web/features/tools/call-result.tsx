'use client'

import { Tabs } from 'radix-ui'
import { JsonText } from '@/components/json-text.tsx'
import { JsonTree } from '@/components/json-tree.tsx'
import { resultBlocks } from '@/components/notion/result-blocks.ts'
import { ResultContent } from '@/components/notion/result-content.tsx'
import { errorSentence, payloadOf } from '@/components/notion/tool-result.ts'
import { Notice } from '@/components/ui/notice.tsx'
import type { CallResult as Returned } from './mcp.ts'
import { toolViews, type ToolView } from './tool-views.tsx'

export interface FinishedCall {
  readonly toolName: string
  readonly result: Returned
  readonly tookMs: number
}

export const tabStyle =
  'h-8 rounded-lg px-3 text-[13px] font-medium text-soft hover:text-ink data-[state=active]:bg-surface data-[state=active]:text-ink data-[state=active]:shadow-xs'

/** A tool result as a readable view, as a tree and as raw JSON. */
export function CallResult({
  call,
  onRead,
  hasLinks,
}: {
  call: FinishedCall
  onRead: ((id: string) => void) | undefined
  hasLinks: boolean
}) {
  const { toolName, result, tookMs } = call
  const payload = payloadOf(result)
  return (
    <Tabs.Root defaultValue="view">
      <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-sm font-semibold">
          Result <span className="font-normal text-soft">in {tookMs} ms</span>
        </h3>
        <Tabs.List aria-label="How to show the result" className="flex rounded-xl bg-sunken p-1">
          <Tabs.Trigger value="view" className={tabStyle}>
            Result
          </Tabs.Trigger>
          <Tabs.Trigger value="tree" className={tabStyle}>
            Tree
          </Tabs.Trigger>
          <Tabs.Trigger value="json" className={tabStyle}>
            Raw JSON
          </Tabs.Trigger>
        </Tabs.List>
      </div>
      <Tabs.Content value="view">
        <ReadableResult toolName={toolName} result={result} payload={payload} onRead={onRead} hasLinks={hasLinks} />
      </Tabs.Content>
      <Tabs.Content value="tree" className="rounded-xl bg-sunken p-4 font-mono text-xs leading-relaxed">
        <JsonTree value={typeof payload === 'string' ? result : payload} isOpen />
      </Tabs.Content>
      <Tabs.Content value="json">
        <JsonText value={result} label="Raw JSON" />
      </Tabs.Content>
    </Tabs.Root>
  )
}

function ReadableResult({
  toolName,
  result,
  ...view
}: { readonly toolName: string; readonly result: Returned } & Parameters<ToolView>[0]) {
  const blocks = resultBlocks(result)
  if (result.isError) {
    return (
      <div className="space-y-3">
        <Notice tone="danger" title="The tool reports an error">
          <span dir="auto" className="break-words whitespace-pre-wrap">
            {errorSentence(result)}
          </span>
        </Notice>
        {blocks.length > 1 && <ResultContent blocks={blocks} hasLinks={view.hasLinks} />}
      </div>
    )
  }
  // A tool-specific view shows only the JSON payload, so use it only if there is nothing else.
  const special = blocks.length === 1 ? toolViews[toolName]?.(view) : undefined
  return special ?? <ResultContent blocks={blocks} hasLinks={view.hasLinks} />
}
