'use client'

import { useId, useRef, useState, type ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Notice } from '@/components/ui/notice.tsx'

type FormState = { status: 'editing'; refusal?: string } | { status: 'sending' } | { status: 'done' }

/** One thing about the account that can be changed. `send` answers with a sentence when it did not work. */
export function SettingForm({
  title,
  action,
  done,
  clears = false,
  send,
  children,
}: {
  title: string
  action: string
  done: string
  /** Whether the fields are empty again when it worked. */
  clears?: boolean
  send: (form: FormData) => Promise<string | undefined>
  children: ReactNode
}) {
  const headingId = useId()
  const form = useRef<HTMLFormElement>(null)
  const [state, setState] = useState<FormState>({ status: 'editing' })
  return (
    <Card aria-labelledby={headingId} className="p-5 sm:p-6">
      <h2 id={headingId} className="mb-4 font-semibold tracking-tight">
        {title}
      </h2>
      <form
        ref={form}
        className="space-y-4"
        onInput={() => setState({ status: 'editing' })}
        onSubmit={async (event) => {
          event.preventDefault()
          const content = new FormData(event.currentTarget)
          setState({ status: 'sending' })
          const refusal = await send(content)
          if (refusal !== undefined) return setState({ status: 'editing', refusal })
          if (clears) form.current?.reset()
          setState({ status: 'done' })
        }}
      >
        {children}
        {state.status === 'editing' && state.refusal && <Notice tone="danger">{state.refusal}</Notice>}
        {state.status === 'done' && <Notice tone="success">{done}</Notice>}
        <Button type="submit" look="secondary" busy={state.status === 'sending'}>
          {action}
        </Button>
      </form>
    </Card>
  )
}
