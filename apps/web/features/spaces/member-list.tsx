'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Avatar } from '@/components/ui/avatar.tsx'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Confirm } from '@/components/ui/confirm.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Select } from '@/components/ui/select.tsx'
import { grantable, mayManage, roles, type Role } from '@/lib/roles.ts'
import { useCall } from '@/lib/use-call.ts'
import type { MemberView } from './members.ts'
import { changeRole, removeMember } from './space-api.ts'
import { roleNames, texts } from './texts.ts'

interface MemberListProps {
  readonly spaceId: string
  readonly members: readonly MemberView[]
  readonly self: { readonly id: string; readonly role: Role }
}

/** Members of the space, with the actions that the user's role allows. */
export function MemberList({ spaceId, members, self }: MemberListProps) {
  const router = useRouter()
  const call = useCall()
  const [leaving, setLeaving] = useState<MemberView>()

  const change = async (user: MemberView, role: Role) => {
    await call.run(() => changeRole(spaceId, user.id, role))
    router.refresh()
  }

  return (
    <Card aria-labelledby="people">
      <h2 id="people" className="px-5 pt-5 font-semibold tracking-tight sm:px-6">
        {texts.members.count(members.length)}
      </h2>
      <CallNotice call={call} className="mx-5 mt-4 sm:mx-6" />
      <ul aria-label={texts.members.title} className="mt-2 divide-y divide-line">
        {members.map((user) => (
          <li key={user.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5 sm:px-6">
            <Avatar name={user.name} />
            <div className="min-w-0 flex-1 basis-40">
              <p className="text-sm font-medium break-words">
                <bdi>{user.name}</bdi>
                {user.id === self.id && <span className="text-soft"> (you)</span>}
              </p>
              <p className="text-[13px] break-words text-soft">{user.email}</p>
            </div>
            {user.id !== self.id && mayManage(self.role, user.role) ? (
              <div className="flex items-center gap-2">
                <Select
                  isLabelHidden
                  label={texts.members.role(user.name)}
                  className="w-32"
                  value={user.role}
                  onChange={(event) => void change(user, roleOf(event.target.value))}
                >
                  {grantable(self.role).map((role) => (
                    <option key={role} value={role}>
                      {roleNames[role]}
                    </option>
                  ))}
                </Select>
                <Button look="quiet" aria-label={texts.members.removeLabel(user.name)} onClick={() => setLeaving(user)}>
                  {texts.members.remove}
                </Button>
              </div>
            ) : (
              <Badge>{roleNames[user.role]}</Badge>
            )}
          </li>
        ))}
      </ul>
      <Confirm
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={texts.members.removeTitle(leaving?.name)}
        action={texts.members.remove}
        onConfirm={async () => {
          if (!leaving) return
          await removeMember(spaceId, leaving.id)
          router.refresh()
        }}
      >
        <p>{texts.members.removeConsequence}</p>
      </Confirm>
    </Card>
  )
}

const roleOf = (value: string): Role => roles.find((role) => role === value) ?? 'member'
