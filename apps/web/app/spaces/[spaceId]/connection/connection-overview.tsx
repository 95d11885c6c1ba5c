'use client'

import type { Route } from 'next'
import { ConnectionCard } from '@/features/integrations/connection-card.tsx'
import { ConnectionHistory } from '@/features/integrations/connection-history.tsx'

export function ConnectionOverview({ spaceId }: { spaceId: string }) {
  return (
    <div className="space-y-6">
      <ConnectionCard chat={`/spaces/${spaceId}/chat` as Route} />
      <ConnectionHistory spaceId={spaceId} />
    </div>
  )
}
