'use client'

import { useState } from 'react'
import { Button } from '../../components/ui/button.tsx'
import { Card } from '../../components/ui/card.tsx'
import { Field } from '../../components/ui/field.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { createSpace } from './space-api.ts'

/** For somebody who left, or was removed from, their last space. */
export function NoSpace() {
  const [state, setState] = useState<'editing' | 'sending' | 'failed'>('editing')
  return (
    <Card className="mx-auto max-w-md p-6" aria-labelledby="no-space">
      <h1 id="no-space" className="text-lg font-semibold tracking-tight">
        You are in no space
      </h1>
      <p className="mt-1.5 text-sm text-pretty text-soft">
        A space is where a team shares its connection with Notion. Ask somebody to invite you, or make a space of your
        own.
      </p>
      <form
        className="mt-5 space-y-4"
        onSubmit={async (event) => {
          event.preventDefault()
          setState('sending')
          const name = new FormData(event.currentTarget).get('name')
          if (typeof name === 'string' && (await createSpace(name))) window.location.assign('/')
          else setState('failed')
        }}
      >
        <Field label="Name of the space" name="name" required maxLength={100} />
        {state === 'failed' && <Notice tone="danger">The space could not be made. Try again in a moment.</Notice>}
        <Button type="submit" className="w-full" busy={state === 'sending'}>
          Create space
        </Button>
      </form>
    </Card>
  )
}
