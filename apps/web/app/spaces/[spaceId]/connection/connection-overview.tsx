'use client'

import { ConnectionCard } from '../../../../features/integrations/connection-card.tsx'
import { ConnectionHistory } from '../../../../features/integrations/connection-history.tsx'

export function ConnectionOverview({ spaceId }: { spaceId: string }) {
  return (
    <div className="space-y-6">
      <ConnectionCard />
      <ConnectionHistory spaceId={spaceId} />
    </div>
  )
}
