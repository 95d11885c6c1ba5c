'use client'

import { useId, useRef, type ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { useCall } from '@/lib/use-call.ts'

/** Form for one account setting. */
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
  /** Clears the fields after success. */
  clears?: boolean
  send: (form: FormData) => Promise<void>
  children: ReactNode
}) {
  const headingId = useId()
  const form = useRef<HTMLFormElement>(null)
  const call = useCall()
  return (
    <Card aria-labelledby={headingId} className="p-5 sm:p-6">
      <h2 id={headingId} className="mb-4 font-semibold tracking-tight">
        {title}
      </h2>
      <form
        ref={form}
        className="space-y-4"
        onInput={call.reset}
        onSubmit={(event) => {
          event.preventDefault()
          const content = new FormData(event.currentTarget)
          void call.run(async () => {
            await send(content)
            if (clears) form.current?.reset()
          })
        }}
      >
        {children}
        <CallNotice call={call} />
        {call.status === 'done' && <Notice tone="success">{done}</Notice>}
        <Button type="submit" look="secondary" busy={call.status === 'busy'}>
          {action}
        </Button>
      </form>
    </Card>
  )
}
