'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Confirm } from '@/components/ui/confirm.tsx'
import { Select } from '@/components/ui/select.tsx'
import type { MemberView } from './members.ts'
import { transferOwnership } from './space-api.ts'
import { texts } from './texts.ts'

/** Lets the owner transfer ownership to another member. */
export function TransferOwnership({ spaceId, others }: { spaceId: string; others: readonly MemberView[] }) {
  const router = useRouter()
  const [chosen, setChosen] = useState(others[0]?.id)
  const [isAsked, setAsked] = useState(false)
  const heir = others.find(({ id }) => id === chosen)
  return (
    <Card aria-labelledby="hand-over" className="p-5 sm:p-6">
      <h2 id="hand-over" className="font-semibold tracking-tight">
        {texts.transfer.title}
      </h2>
      <p className="mt-1 mb-4 text-sm text-pretty text-soft">
        {texts.transfer.lead}
        {others.length === 0 && ` ${texts.transfer.nobody}`}
      </p>
      {heir && (
        <div className="flex flex-wrap items-end gap-3">
          <Select
            label={texts.transfer.newOwner}
            className="min-w-0 flex-1 basis-56"
            value={heir.id}
            onChange={(event) => setChosen(event.target.value)}
          >
            {others.map(({ id, name, email }) => (
              <option key={id} value={id}>
                {name} ({email})
              </option>
            ))}
          </Select>
          <Button look="secondary" onClick={() => setAsked(true)}>
            {texts.transfer.open}
          </Button>
        </div>
      )}
      <Confirm
        open={isAsked}
        onClose={() => setAsked(false)}
        title={texts.transfer.question(heir?.name)}
        action={texts.transfer.action}
        onConfirm={async () => {
          if (!heir) return
          await transferOwnership(spaceId, heir.id)
          router.refresh()
        }}
      >
        <p>{texts.transfer.consequence}</p>
      </Confirm>
    </Card>
  )
}
