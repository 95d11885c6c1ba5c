'use client'

import { Tabs } from 'radix-ui'
import { JsonText } from '../../components/json-text.tsx'
import { JsonTree } from '../../components/json-tree.tsx'
import { errorSentence, payloadOf } from '../../components/notion/tool-result.ts'
import { Notice } from '../../components/ui/notice.tsx'
import type { CallToolResult } from './mcp.ts'
import { toolViews } from './tool-views.tsx'

export interface FinishedCall {
  readonly toolName: string
  readonly result: CallToolResult
  readonly tookMs: number
}

export const tabStyle =
  'h-8 rounded-lg px-3 text-[13px] font-medium text-soft hover:text-ink data-[state=active]:bg-surface data-[state=active]:text-ink data-[state=active]:shadow-xs'

/** What a tool answered: as this app understands it, as a tree, and exactly as it came. */
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
  const view = result.isError ? (
    <Notice tone="danger" title="The tool reports an error">
      {errorSentence(result)}
    </Notice>
  ) : (
    toolViews[toolName]?.({ payload, onRead, hasLinks })
  )
  const shown = { ...result, content: typeof payload === 'string' ? result.content : [{ type: 'text', text: payload }] }
  return (
    <Tabs.Root defaultValue={view === undefined ? 'tree' : 'view'}>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-sm font-semibold">
          Result <span className="font-normal text-soft">in {tookMs} ms</span>
        </h3>
        <Tabs.List aria-label="How to show the result" className="flex rounded-xl bg-sunken p-1">
          {view !== undefined && (
            <Tabs.Trigger value="view" className={tabStyle}>
              Result
            </Tabs.Trigger>
          )}
          <Tabs.Trigger value="tree" className={tabStyle}>
            Tree
          </Tabs.Trigger>
          <Tabs.Trigger value="json" className={tabStyle}>
            Raw JSON
          </Tabs.Trigger>
        </Tabs.List>
      </div>
      {view !== undefined && <Tabs.Content value="view">{view}</Tabs.Content>}
      <Tabs.Content value="tree" className="rounded-xl bg-sunken p-4 font-mono text-xs leading-relaxed">
        <JsonTree value={payload} isOpen />
      </Tabs.Content>
      <Tabs.Content value="json">
        {/* JSON inside its text is shown as JSON, because nobody can read it otherwise. */}
        <JsonText value={shown} label="Raw JSON" />
      </Tabs.Content>
    </Tabs.Root>
  )
}
