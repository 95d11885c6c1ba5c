'use client'

import { createContext, use, type ReactNode } from 'react'
import type { ConnectionView } from './connection-view.ts'
import type { Permission } from './next-step.tsx'
import { useConnection, type ConnectionControl } from './use-connection.ts'

interface SpaceConnectionContext {
  readonly control: ConnectionControl
  readonly permission: Permission
}

const Context = createContext<SpaceConnectionContext | undefined>(undefined)

/** Shares one polled view of the space's connection with all components of the space. */
export function ConnectionProvider({
  spaceId,
  initial,
  permission,
  children,
}: {
  spaceId: string
  initial: ConnectionView
  permission: Permission
  children: ReactNode
}) {
  const control = useConnection(spaceId, initial)
  return <Context value={{ control, permission }}>{children}</Context>
}

/** The connection of the current space. */
export function useSpaceConnection(): SpaceConnectionContext {
  const provided = use(Context)
  if (!provided) throw new Error('useSpaceConnection requires a ConnectionProvider.')
  return provided
}
