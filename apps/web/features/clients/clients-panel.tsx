'use client'

import { useState } from 'react'
import { Callers } from './callers.tsx'
import type { ClientLists, MadeKey } from './client-lists.ts'
import { ConnectClient } from './connect-client.tsx'
import { Keys } from './keys.tsx'
import { useClientLists } from './use-client-lists.ts'

interface ClientsPanelProps {
  readonly spaceId: string
  readonly spaceName: string
  readonly url: string
  readonly initial: ClientLists
}

/** Setup, keys and recent calls of the user's own clients in a space. */
export function ClientsPanel({ spaceId, spaceName, url, initial }: ClientsPanelProps) {
  const { lists, isStale, refresh } = useClientLists(spaceId, initial)
  const [made, setMade] = useState<MadeKey>()
  return (
    <div className="space-y-5">
      <ConnectClient url={url} spaceName={spaceName} newKey={made?.key} />
      <Callers callers={lists.callers} isStale={isStale} />
      <Keys spaceId={spaceId} keys={lists.keys} made={made} onMade={setMade} onChange={refresh} />
    </div>
  )
}
