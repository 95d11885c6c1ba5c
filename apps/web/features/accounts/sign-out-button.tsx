'use client'

import { DiscardDrafts } from '@/components/discard-drafts.tsx'
import { Button } from '@/components/ui/button.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useSignOut } from '@/lib/drafts/use-sign-out.ts'
import { useCall } from '@/lib/use-call.ts'
import { texts } from './texts.ts'

/** Signs out and opens `next`. */
export function SignOutButton({ userId, next }: { userId: string; next: string }) {
  const call = useCall()
  const leaving = useSignOut(userId, () => window.location.assign(next))
  return (
    <>
      <CallNotice call={call} />
      <Button className="w-full" onClick={() => void call.run(leaving.start)}>
        {texts.account.signOut}
      </Button>
      <DiscardDrafts count={leaving.draftCount} onClose={leaving.cancel} onConfirm={leaving.confirm} />
    </>
  )
}
