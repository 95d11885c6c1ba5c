'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Confirm } from '@/components/ui/confirm.tsx'
import { removeMember } from './space-api.ts'
import type { SpaceChoice } from './space-menu.tsx'
import { texts } from './texts.ts'

/** Lets the user leave the space. */
export function LeaveSpace({
  space,
  userId,
  isLastOwner,
}: {
  space: SpaceChoice
  userId: string
  isLastOwner: boolean
}) {
  const [isAsked, setAsked] = useState(false)
  return (
    <Card aria-labelledby="leave" className="p-5 sm:p-6">
      <h2 id="leave" className="font-semibold tracking-tight">
        {texts.leave.title}
      </h2>
      <p className="mt-1 mb-4 text-sm text-pretty text-soft">
        {isLastOwner ? texts.leave.lastOwner : texts.leave.consequence}
      </p>
      <Button look="secondary" className="text-danger" disabled={isLastOwner} onClick={() => setAsked(true)}>
        {texts.leave.open}
      </Button>
      <Confirm
        open={isAsked}
        onClose={() => setAsked(false)}
        title={texts.leave.question(space.name)}
        action={texts.leave.action}
        onConfirm={async () => {
          await removeMember(space.id, userId)
          window.location.assign('/')
        }}
      >
        <p>{texts.leave.return}</p>
      </Confirm>
    </Card>
  )
}
