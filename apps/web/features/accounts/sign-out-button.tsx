'use client'

import { useState } from 'react'
import { Button } from '../../components/ui/button.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { signOut } from './account-api.ts'

/** Signs out and stays at `next`. */
export function SignOutButton({ next }: { next: string }) {
  const [refusal, setRefusal] = useState<string>()
  return (
    <>
      {refusal && <Notice tone="danger">{refusal}</Notice>}
      <Button
        className="w-full"
        onClick={async () => {
          const reason = await signOut()
          if (reason === undefined) window.location.assign(next)
          else setRefusal(reason)
        }}
      >
        Sign out
      </Button>
    </>
  )
}
