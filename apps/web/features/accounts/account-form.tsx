'use client'

import { useState, type ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Notice } from '@/components/ui/notice.tsx'

type FormState = { status: 'editing'; refusal?: string } | { status: 'sending' }

/**
 * The frame of the sign-in and sign-up forms. `send` answers with a sentence when it went wrong; else the person goes on by a full page
 * load, so that nothing of a person who was signed in before stays in memory.
 */
export function AccountForm({
  action,
  next,
  send,
  children,
}: {
  action: string
  /** Where to go on. */
  next: string
  send: (form: FormData) => Promise<string | undefined>
  children: ReactNode
}) {
  const [state, setState] = useState<FormState>({ status: 'editing' })
  return (
    <form
      method="post"
      className="space-y-4"
      onSubmit={async (event) => {
        event.preventDefault()
        setState({ status: 'sending' })
        const refusal = await send(new FormData(event.currentTarget))
        if (refusal === undefined) window.location.assign(next)
        else setState({ status: 'editing', refusal })
      }}
    >
      {children}
      {state.status === 'editing' && state.refusal && <Notice tone="danger">{state.refusal}</Notice>}
      <Button type="submit" className="w-full" busy={state.status === 'sending'}>
        {action}
      </Button>
    </form>
  )
}
