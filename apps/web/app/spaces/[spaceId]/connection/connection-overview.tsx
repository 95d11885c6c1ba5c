'use client'

import { ConnectionCard } from '../../../../features/integrations/connection-card.tsx'
import { useSpaceConnection } from '../../../../features/integrations/connection-context.tsx'

export function ConnectionOverview() {
  const { control, permission } = useSpaceConnection()
  return <ConnectionCard control={control} permission={permission} />
}
