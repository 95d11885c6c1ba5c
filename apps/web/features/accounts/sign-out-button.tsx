'use client'

import { useState } from 'react'
import { DiscardDrafts } from '@/components/discard-drafts.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { useSignOut } from '@/lib/drafts/use-sign-out.ts'
import { signOut } from './account-api.ts'

/** Signs out and stays at `next`. */
export function SignOutButton({ userId, next }: { userId: string; next: string }) {
  const [refusal, setRefusal] = useState<string>()
  const leaving = useSignOut(userId, signOut, () => window.location.assign(next))
  return (
    <>
      {refusal && <Notice tone="danger">{refusal}</Notice>}
      <Button className="w-full" onClick={async () => setRefusal(await leaving.start())}>
        Sign out
      </Button>
      <DiscardDrafts count={leaving.draftCount} onClose={leaving.cancel} onConfirm={leaving.confirm} />
    </>
  )
}
