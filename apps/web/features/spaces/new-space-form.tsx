'use client'

import { Button } from '@/components/ui/button.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { createSpace } from './space-api.ts'
import { texts } from './texts.ts'

/** Creates a space and opens it. */
export function NewSpaceForm() {
  const call = useCall()
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const name = formText(new FormData(event.currentTarget), 'name')
        void call.run(async () => {
          const { spaceId } = await createSpace(name)
          window.location.assign(`/spaces/${spaceId}`)
        })
      }}
    >
      <Field label={texts.space.nameLabel} name="name" required maxLength={100} hint={texts.space.nameHint} />
      <CallNotice call={call} />
      <Button type="submit" className="w-full" busy={call.status !== 'idle'}>
        {texts.space.create}
      </Button>
    </form>
  )
}
