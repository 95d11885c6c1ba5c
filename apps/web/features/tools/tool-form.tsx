'use client'

import { Play } from 'lucide-react'
import { Tabs } from 'radix-ui'
import { useState, type FormEvent } from 'react'
import { Button } from '../../components/ui/button.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import type { Tool } from './mcp.ts'
import { isSchema, startOf } from './schema.ts'
import { faultsOf, JsonValue, SchemaForm, type Faults } from './schema-form.tsx'
import { tabStyle } from './call-result.tsx'

export interface ToolFormProps {
  readonly tool: Tool
  /** What the form begins with; else what the schema says. */
  readonly initial: Record<string, unknown> | undefined
  readonly busy: boolean
  readonly onRun: (args: Record<string, unknown>) => void
  readonly onCancel: () => void
}

const NONE: Faults = new Map()

/** The arguments of one call, as fields made from the tool's schema or as JSON: two views of the same value. */
export function ToolForm({ tool, initial, busy, onRun, onCancel }: ToolFormProps) {
  const schema = tool.inputSchema
  const [value, setValue] = useState<unknown>(() => initial ?? startOf(schema, schema))
  const [faults, setFaults] = useState(NONE)
  const change = (next: unknown) => {
    setValue(next)
    // Once there was something wrong, it is said when it is mended.
    if (faults.size > 0) setFaults(faultsOf(schema, next))
  }
  const run = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const unreadable = event.currentTarget.querySelector<HTMLTextAreaElement>('textarea:invalid')
    if (unreadable) return unreadable.focus()
    const found = faultsOf(schema, value)
    setFaults(found)
    if (found.size === 0 && isSchema(value)) onRun(value)
  }
  return (
    <form onSubmit={run} className="space-y-4" noValidate>
      <Tabs.Root defaultValue="form">
        <Tabs.List aria-label="How to write the arguments" className="mb-3 flex w-fit rounded-xl bg-sunken p-1">
          <Tabs.Trigger value="form" className={tabStyle}>
            Form
          </Tabs.Trigger>
          <Tabs.Trigger value="raw" className={tabStyle}>
            JSON
          </Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="form">
          <SchemaForm schema={schema} value={value} onChange={change} faults={faults} />
        </Tabs.Content>
        <Tabs.Content value="raw">
          <JsonValue value={value} onChange={change} label="Arguments (JSON)" rows={6} />
        </Tabs.Content>
      </Tabs.Root>
      {faults.size > 0 && (
        <Notice tone="danger" title="The arguments are not what the tool expects">
          <ul className="list-disc pl-4">
            {[...faults].map(([at, fault]) => (
              <li key={at}>
                {at === '' ? '' : `${at.slice(1).replaceAll('/', ' › ')}: `}
                {fault}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <div className="flex gap-2">
        <Button type="submit" busy={busy}>
          {!busy && <Play aria-hidden />}
          Run
        </Button>
        {busy && (
          <Button look="quiet" onClick={onCancel}>
            Cancel
          </Button>
        )}
      </div>
    </form>
  )
}
