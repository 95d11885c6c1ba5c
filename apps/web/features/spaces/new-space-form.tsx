'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { Notice } from '@/components/ui/notice.tsx'
import { createSpace } from './space-api.ts'

/** Makes a space and goes there. */
export function NewSpaceForm() {
  const [state, setState] = useState<{ isBusy: boolean; refusal?: string }>({ isBusy: false })
  return (
    <form
      className="space-y-4"
      onSubmit={async (event) => {
        event.preventDefault()
        const name = formText(new FormData(event.currentTarget), 'name')
        setState({ isBusy: true })
        const outcome = await createSpace(name)
        if (outcome.ok) window.location.assign(`/spaces/${outcome.answer.spaceId}`)
        else setState({ isBusy: false, refusal: outcome.refusal })
      }}
    >
      <Field label="Name of the space" name="name" required maxLength={100} hint="Your team’s name, for example." />
      {state.refusal && <Notice tone="danger">{state.refusal}</Notice>}
      <Button type="submit" className="w-full" busy={state.isBusy}>
        Create space
      </Button>
    </form>
  )
}
