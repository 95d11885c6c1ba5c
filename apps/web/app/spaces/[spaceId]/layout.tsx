import type { ReactNode } from 'react'
import { connectionView } from '@/features/integrations/space-connection.ts'
import { isManager, managerNames } from '@/lib/members.ts'
import { requireMemberPage, requireVisitor } from '@/lib/visitor.ts'
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
  const { person, spaces } = await requireVisitor()
  const canManage = isManager(member.space.role)
  const [connection, managers] = await Promise.all([connectionView(member), canManage ? [] : managerNames(member)])
  return (
    <SpaceShell
      // Nothing of one space stays on the screen, or in memory, in another.
      key={member.space.id}
      person={person}
      space={member.space}
      spaces={spaces}
      connection={connection}
      permission={{ canManage, managers }}
    >
      {children}
    </SpaceShell>
  )
}
