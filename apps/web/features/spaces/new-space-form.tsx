'use client'

import { Button } from '@/components/ui/button.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { createSpace } from './space-api.ts'

/** Makes a space and goes there. */
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
      <Field label="Space name" name="name" required maxLength={100} hint="For example, your team’s name." />
      <CallNotice call={call} />
      <Button type="submit" className="w-full" busy={call.status !== 'idle'}>
        Create space
      </Button>
    </form>
  )
}
