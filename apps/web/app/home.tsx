'use client'

import { Wrench } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { ConnectionCard } from '../features/integrations/connection-card.tsx'
import type { ConnectionView } from '../features/integrations/connection-view.ts'
import type { Permission } from '../features/integrations/next-step.tsx'
import { useConnection } from '../features/integrations/use-connection.ts'

/** Speaks MCP, which is a lot of code: only a connected space downloads it. */
const ToolPanel = lazy(async () => ({ default: (await import('../features/tools/tool-panel.tsx')).ToolPanel }))

interface HomeProps {
  readonly spaceId: string
  readonly connection: ConnectionView
  readonly permission: Permission
  readonly isDemo: boolean
}

/** Brings the connection and the tools together; the two do not know each other. */
export function Home({ spaceId, connection, permission, isDemo }: HomeProps) {
  const control = useConnection(spaceId, connection)
  return (
    <div className="space-y-5">
      <ConnectionCard control={control} permission={permission} />
      {control.view.status === 'connected' ? (
        // A new connection may be to another workspace, with other tools.
        <Suspense fallback={<div className="h-40 rounded-2xl border border-line bg-surface" />}>
          <ToolPanel
            key={control.view.connection.connectedAt}
            spaceId={spaceId}
            onTrouble={control.refresh}
            hasLinks={!isDemo}
          />
        </Suspense>
      ) : (
        <div className="grid place-items-center rounded-2xl border border-dashed border-line-strong px-6 py-14 text-center">
          <Wrench aria-hidden className="size-6 text-faint" />
          <p className="mt-3 text-sm font-medium">Tools appear here</p>
          <p className="mt-1 max-w-sm text-sm text-pretty text-soft">
            As soon as Notion is connected, you can search it and try its tools right here.
          </p>
        </div>
      )}
    </div>
  )
}
