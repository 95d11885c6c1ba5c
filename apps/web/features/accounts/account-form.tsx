'use client'

import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'

/**
 * The frame of the sign-in and sign-up forms. After `send` the user goes on by a full page load, so that nothing of a user who was signed
 * in before stays in memory.
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
