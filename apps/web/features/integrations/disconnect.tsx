'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import type { SpaceConnection } from './connection-response.ts'
import { workspace } from './connection-texts.tsx'
import type { ConnectionControl } from './use-connection.ts'

/** Disconnects the space after a confirmation. */
export function Disconnect({ control, connection }: { control: ConnectionControl; connection: SpaceConnection }) {
  const [step, setStep] = useState<'offered' | 'asked' | 'running'>('offered')
  if (step === 'offered') {
    return (
      <Button look="secondary" className="text-danger" onClick={() => setStep('asked')}>
        Disconnect…
      </Button>
    )
  }
  return (
    <div role="group" aria-labelledby="disconnect-question" className="w-full rounded-xl bg-danger-soft p-4">
      <p id="disconnect-question" className="text-sm font-semibold text-danger">
        Disconnect {workspace(connection)}?
      </p>
      <p className="mt-1 text-sm text-pretty text-danger">
        Everyone in this space, including their assistants, loses access to Notion immediately. Pages in Notion aren’t
        changed.
      </p>
      <div className="mt-3.5 flex flex-wrap gap-2">
        <Button
          look="danger"
          busy={step === 'running'}
          onClick={async () => {
            setStep('running')
            await control.disconnect()
            setStep('offered')
          }}
        >
          Disconnect
        </Button>
        <Button look="secondary" autoFocus disabled={step === 'running'} onClick={() => setStep('offered')}>
          Keep connected
        </Button>
      </div>
    </div>
  )
}
