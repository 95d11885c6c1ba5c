'use client'

import { Button } from '@/components/ui/button.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { acceptInvitation } from './space-api.ts'
import { texts } from './texts.ts'

export function JoinSpace({ secret }: { secret: string }) {
  const call = useCall()
  return (
    <>
      <CallNotice call={call} />
      <Button
        className="w-full"
        busy={call.status !== 'idle'}
        onClick={() =>
          void call.run(async () => {
            const { spaceId } = await acceptInvitation(secret)
            window.location.assign(`/spaces/${spaceId}`)
          })
        }
      >
        {texts.invitation.join}
      </Button>
    </>
  )
}
