'use client'

import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'

/**
 * Frame of the sign-in and sign-up forms. After `send` it navigates by a full page load, so that no data of a previous user stays in memory.
 */
export function AccountForm({
  action,
  next,
  send,
  children,
}: {
  action: string
  /** Path to open after success. */
  next: string
  send: (form: FormData) => Promise<void>
  children: ReactNode
}) {
  const call = useCall()
  return (
    <form
      method="post"
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const form = new FormData(event.currentTarget)
        void call.run(async () => {
          await send(form)
          window.location.assign(next)
        })
      }}
    >
      {children}
      <CallNotice call={call} />
      <Button type="submit" className="w-full" busy={call.status !== 'idle'}>
        {action}
      </Button>
    </form>
  )
}
