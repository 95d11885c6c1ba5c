'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { Notice } from '@/components/ui/notice.tsx'
import { renameSpace } from './space-api.ts'
import type { SpaceChoice } from './space-menu.tsx'

type FormState = { status: 'editing' | 'sending' | 'saved' } | { status: 'refused'; refusal: string }

export function RenameSpace({ space }: { space: SpaceChoice }) {
  const router = useRouter()
  const [state, setState] = useState<FormState>({ status: 'editing' })
  return (
    <Card aria-labelledby="rename" className="p-5 sm:p-6">
      <h2 id="rename" className="mb-4 font-semibold tracking-tight">
        Name
      </h2>
      <form
        className="space-y-4"
        onChange={() => setState({ status: 'editing' })}
        onSubmit={async (event) => {
          event.preventDefault()
          const name = formText(new FormData(event.currentTarget), 'name')
          setState({ status: 'sending' })
          const outcome = await renameSpace(space.id, name)
          setState(outcome.ok ? { status: 'saved' } : { status: 'refused', refusal: outcome.refusal })
          router.refresh()
        }}
      >
        <Field label="Name of the space" name="name" required maxLength={100} defaultValue={space.name} />
        {state.status === 'refused' && <Notice tone="danger">{state.refusal}</Notice>}
        {state.status === 'saved' && <Notice tone="success">Saved.</Notice>}
        <Button type="submit" look="secondary" busy={state.status === 'sending'}>
          Save
        </Button>
      </form>
    </Card>
  )
}
