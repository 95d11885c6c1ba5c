'use client'

import { Wrench } from 'lucide-react'
import Link from 'next/link'
import { lazy, Suspense } from 'react'
import { buttonStyle } from '@/components/ui/button.tsx'
import { useSpaceConnection } from '@/features/integrations/connection-context.tsx'

/** Speaks MCP, which is a lot of code: only a connected space downloads it. */
const ToolPanel = lazy(async () => ({
  default: (await import('@/features/tools/tool-panel.tsx')).ToolPanel,
}))

/** Brings the connection and the tools together; the two do not know each other. */
export function ConnectedTools({
  spaceId,
  ...rest
}: {
  spaceId: string
  userId: string
  hasLinks: boolean
  endpoint: string
}) {
  const { control } = useSpaceConnection()
  if (control.view.status === 'connected') {
    return (
      <Suspense fallback={<div className="h-40 rounded-2xl border border-line bg-surface" />}>
        <ToolPanel
          // A new connection may be to another workspace, with other tools.
          key={control.view.connection.connectedAt}
          spaceId={spaceId}
          onTrouble={control.refresh}
          {...rest}
        />
      </Suspense>
    )
  }
  return (
    <div className="grid place-items-center rounded-2xl border border-dashed border-line-strong px-6 py-14 text-center">
      <Wrench aria-hidden className="size-6 text-faint" />
      <p className="mt-3 text-sm font-medium">Tools appear here</p>
      <p className="mt-1 mb-5 max-w-sm text-sm text-pretty text-soft">
        Once Notion is connected, you can search it and try its tools here.
      </p>
      <Link href={`/spaces/${spaceId}/connection`} className={buttonStyle({ look: 'secondary' })}>
        Open connection
      </Link>
    </div>
  )
}
