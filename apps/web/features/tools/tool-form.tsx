'use client'

import { isReadOnlyTool } from '@nmg/contract'
import { Play } from 'lucide-react'
import { Tabs } from 'radix-ui'
import { useEffect, useMemo, useRef, useState, type FormEvent, type RefObject } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { draftsOf, draftTroubleTexts, useDraft } from '@/lib/drafts/use-draft.ts'
import { tabStyle } from './call-result.tsx'
import { ConfirmWrite } from './confirm-write.tsx'
import { parseFormDraft, type FormDraft } from './form-draft.ts'
import { isJson, JsonTextsContext, JsonValue } from './json-value.tsx'
import { isSchema, safeSchema, type Schema } from './safe-schema.ts'
import { faultsOf, type Faults } from './schema-faults.ts'
import { SchemaForm } from './schema-form.tsx'
import { isSame } from './schema.ts'
import { startOf } from './start-value.ts'

export interface ToolFormProps {
  readonly toolName: string
  readonly inputSchema: Schema
  readonly userId: string
  /** Storage of unsent input. */
  readonly draftName: string
  readonly hasLinks: boolean
  readonly busy: boolean
  /** True once a result has arrived. */
  readonly onRun: (args: Record<string, unknown>) => Promise<boolean>
  readonly onCancel: () => void
}

const NONE: Faults = new Map()

/** Where the JSON of all arguments stands among the texts that are no JSON yet: no pointer begins like this. */
const ALL = 'all'

/** Editor for the arguments of a call: generated fields or JSON, two views of the same value. */
export function ToolForm(props: ToolFormProps) {
  const { toolName, inputSchema, hasLinks, busy, onRun, onCancel } = props
  const form = useRef<HTMLFormElement>(null)
  useRunByKey(form)
  const schema = useMemo(() => safeSchema(inputSchema), [inputSchema])
  const { input, update, reset, isTouched, trouble, markSent } = useInput(props, schema)
  const [faults, setFaults] = useState(NONE)
  const [asked, setAsked] = useState<Record<string, unknown>>()
  const check = (value: unknown) => (schema ? faultsOf(schema, schema, value) : NONE)

  const change = (next: unknown) => {
    // Arguments must be an object; other JSON stays in the text field.
    if (!isSchema(next)) return
    update({ args: next })
    // After a failed submission, validate on every change.
    if (faults.size > 0) setFaults(check(next))
  }
  const setText = (at: string, text: string | undefined) => {
    const others = Object.entries(latest(props, input).texts).filter(([name]) => name !== at)
    update({ texts: Object.fromEntries(text === undefined ? others : [...others, [at, text]]) })
  }
  const send = async (args: Record<string, unknown>) => {
    if (await onRun(args)) markSent(args)
  }
  const run = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    const unreadable = event.currentTarget.querySelector<HTMLTextAreaElement>('textarea:invalid')
    if (unreadable) return unreadable.focus()
    const found = check(input.args)
    setFaults(found)
    if (found.size > 0) return focusFirstFault(event.currentTarget)
    if (isReadOnlyTool(toolName)) void send(input.args)
    else setAsked(input.args)
  }

  return (
    <>
      <form ref={form} onSubmit={run} className="space-y-4" noValidate>
        <JsonTextsContext value={{ texts: input.texts, setText }}>
          {schema ? (
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
                <SchemaForm schema={schema} value={input.args} onChange={change} faults={faults} />
              </Tabs.Content>
              <Tabs.Content value="raw">
                <JsonValue value={input.args} onChange={change} at={ALL} label="Arguments (JSON)" rows={6} isObject />
              </Tabs.Content>
            </Tabs.Root>
          ) : (
            <div className="space-y-1.5">
              <p className="text-sm text-soft">
                This tool’s schema is too large for a form. Enter the arguments as JSON.
              </p>
              <JsonValue value={input.args} onChange={change} at={ALL} label="Arguments (JSON)" rows={6} isObject />
            </div>
          )}
        </JsonTextsContext>
        <FaultList faults={faults} />
        {trouble && <Notice tone="warning">{draftTroubleTexts[trouble]}</Notice>}
        <div className="flex flex-wrap items-center gap-2">
          <Button type="submit" busy={busy} title="Ctrl+Enter or ⌘+Enter">
            {!busy && <Play aria-hidden />}
            Run
          </Button>
          {busy && (
            <Button look="quiet" onClick={onCancel}>
              Cancel
            </Button>
          )}
          {!busy && isTouched && (
            <Button
              look="quiet"
              onClick={() => {
                setFaults(NONE)
                reset()
              }}
            >
              Reset
            </Button>
          )}
        </div>
      </form>
      <ConfirmWrite
        toolName={toolName}
        args={asked}
        hasLinks={hasLinks}
        onRun={(args) => void send(args)}
        onClose={() => setAsked(undefined)}
      />
    </>
  )
}

/** Once the faults are shown. */
function focusFirstFault(element: HTMLFormElement) {
  requestAnimationFrame(() => element.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
}

/** Ctrl+Enter or ⌘+Enter submits the form from a multi-line field. */
function useRunByKey(form: RefObject<HTMLFormElement | null>) {
  useEffect(() => {
    const element = form.current
    const runByKey = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return
      event.preventDefault()
      element?.requestSubmit()
    }
    element?.addEventListener('keydown', runByKey)
    return () => element?.removeEventListener('keydown', runByKey)
  }, [form])
}

/** The form's value: the draft, else the last arguments, else the schema's start value. */
function useInput({ userId, draftName }: ToolFormProps, schema: Schema | undefined) {
  const draft = useDraft(userId, draftName, parseFormDraft)
  const [sent, setSent] = useState<FormDraft>()
  const begun = useMemo(() => beginning(schema), [schema])
  const input = draft.value ?? sent ?? begun
  return {
    input,
    isTouched: input !== begun,
    trouble: draft.trouble,
    /** Two changes of one event follow each other, so each begins with what is stored. */
    update: (change: Partial<FormDraft>) => draft.save({ ...latest({ userId, draftName }, input), ...change }),
    /** Removes the draft after submission unless it has changed since. */
    markSent(args: Record<string, unknown>) {
      const now = latest({ userId, draftName }, input)
      if (!isSame(now.args, args) || !Object.values(now.texts).every(isJson)) return
      setSent(now)
      draft.remove()
    },
    reset() {
      setSent(undefined)
      draft.remove()
    },
  }
}

const latest = ({ userId, draftName }: Pick<ToolFormProps, 'userId' | 'draftName'>, input: FormDraft): FormDraft =>
  parseFormDraft(draftsOf(userId).read(draftName)) ?? input

function beginning(schema: Schema | undefined): FormDraft {
  const args = schema && startOf(schema, schema)
  return { args: isSchema(args) ? args : {}, texts: {} }
}

function FaultList({ faults }: { faults: Faults }) {
  if (faults.size === 0) return null
  return (
    <Notice tone="danger" title="The arguments don’t match what the tool expects">
      <ul className="list-disc pl-4">
        {[...faults].slice(0, 20).map(([at, fault]) => (
          <li key={at} className="break-words">
            {at === '' ? '' : `${pathOf(at)}: `}
            {fault}
          </li>
        ))}
      </ul>
    </Notice>
  )
}

const pathOf = (pointer: string): string =>
  pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join(' › ')
