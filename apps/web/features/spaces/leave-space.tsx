'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Confirm } from '@/components/ui/confirm.tsx'
import { removeMember } from './space-api.ts'
import type { SpaceChoice } from './space-menu.tsx'

/** The way out of a space. */
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
        Leave
      </h2>
      <p className="mt-1 mb-4 text-sm text-pretty text-soft">
        {isLastOwner
          ? 'You’re the only owner of this space. Transfer ownership before you leave.'
          : 'You and your MCP clients lose access to this space and its Notion immediately. To come back, you need an invitation.'}
      </p>
      <Button look="secondary" className="text-danger" disabled={isLastOwner} onClick={() => setAsked(true)}>
        Leave space…
      </Button>
      <Confirm
        open={isAsked}
        onClose={() => setAsked(false)}
        title={`Leave ${space.name}?`}
        action="Leave"
        onConfirm={async () => {
          await removeMember(space.id, userId)
          window.location.assign('/')
        }}
      >
        <p>To come back, you need an invitation.</p>
      </Confirm>
    </Card>
  )
}
