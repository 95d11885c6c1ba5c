import type { ReactNode } from 'react'
import { connectionView } from '@/features/integrations/space-connection.ts'
import { isManager, managerNames } from '@/lib/membership.ts'
import { requireMemberPage, requireSignedInUser } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { SpaceShell } from './space-shell.tsx'

/** The frame of a space's pages, for its members. */
export default async function SpaceLayout({
  children,
  params,
}: {
  children: ReactNode
  params: Promise<{ spaceId: string }>
}) {
  const member = await requireMemberPage(params)
  const { user, spaces } = await requireSignedInUser()
  const canManage = isManager(member.space.role)
  const [connection, managers] = await Promise.all([
    connectionView(runtime(), member),
    canManage ? [] : managerNames(runtime(), member),
  ])
  return (
    <SpaceShell
      // Nothing of one space stays on the screen, or in memory, in another.
      key={member.space.id}
      user={user}
      space={member.space}
      spaces={spaces}
      connection={connection}
      permission={{ canManage, managers }}
    >
      {children}
    </SpaceShell>
  )
}
