'use client'

import { useRouter } from 'next/navigation'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { renameSpace } from './space-api.ts'
import type { SpaceChoice } from './space-menu.tsx'
import { texts } from './texts.ts'

export function RenameSpace({ space }: { space: SpaceChoice }) {
  const router = useRouter()
  const call = useCall()
  return (
    <Card aria-labelledby="rename" className="p-5 sm:p-6">
      <h2 id="rename" className="mb-4 font-semibold tracking-tight">
        {texts.space.renameTitle}
      </h2>
      <form
        className="space-y-4"
        onChange={call.reset}
        onSubmit={async (event) => {
          event.preventDefault()
          const name = formText(new FormData(event.currentTarget), 'name')
          await call.run(() => renameSpace(space.id, name))
          router.refresh()
        }}
      >
        <Field label={texts.space.nameLabel} name="name" required maxLength={100} defaultValue={space.name} />
        <CallNotice call={call} />
        {call.status === 'done' && <Notice tone="success">{texts.space.saved}</Notice>}
        <Button type="submit" look="secondary" busy={call.status === 'busy'}>
          {texts.space.save}
        </Button>
      </form>
    </Card>
  )
}
