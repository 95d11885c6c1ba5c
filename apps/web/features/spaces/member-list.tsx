'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Avatar } from '@/components/ui/avatar.tsx'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Confirm } from '@/components/ui/confirm.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { Select } from '@/components/ui/select.tsx'
import { grantable, mayManage, roles, type Role } from '@/lib/roles.ts'
import { useCall } from '@/lib/use-call.ts'
import type { SpacePerson } from './people.ts'
import { roleNames } from './role-texts.ts'
import { changeRole, removeMember } from './space-api.ts'

interface MemberListProps {
  readonly spaceId: string
  readonly people: readonly SpacePerson[]
  readonly self: { readonly id: string; readonly role: Role }
}

/** Who is in the space, and what the reader may do about them. */
export function MemberList({ spaceId, people, self }: MemberListProps) {
  const router = useRouter()
  const call = useCall()
  const [leaving, setLeaving] = useState<SpacePerson>()

  const change = async (person: SpacePerson, role: Role) => {
    await call.run(() => changeRole(spaceId, person.id, role))
    router.refresh()
  }

  return (
    <Card aria-labelledby="people">
      <h2 id="people" className="px-5 pt-5 font-semibold tracking-tight sm:px-6">
        {people.length === 1 ? 'One member' : `${people.length} members`}
      </h2>
      {call.trouble && (
        <Notice tone="danger" className="mx-5 mt-4 sm:mx-6">
          {call.trouble}
        </Notice>
      )}
      <ul aria-label="Members" className="mt-2 divide-y divide-line">
        {people.map((person) => (
          <li key={person.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5 sm:px-6">
            <Avatar name={person.name} />
            <div className="min-w-0 flex-1 basis-40">
              <p className="text-sm font-medium break-words">
                <bdi>{person.name}</bdi>
                {person.id === self.id && <span className="text-soft"> (you)</span>}
              </p>
              <p className="text-[13px] break-words text-soft">{person.email}</p>
            </div>
            {person.id !== self.id && mayManage(self.role, person.role) ? (
              <div className="flex items-center gap-2">
                <Select
                  isLabelHidden
                  label={`Role of ${person.name}`}
                  className="w-32"
                  value={person.role}
                  onChange={(event) => void change(person, roleOf(event.target.value))}
                >
                  {grantable(self.role).map((role) => (
                    <option key={role} value={role}>
                      {roleNames[role]}
                    </option>
                  ))}
                </Select>
                <Button look="quiet" aria-label={`Remove ${person.name}`} onClick={() => setLeaving(person)}>
                  Remove
                </Button>
              </div>
            ) : (
              <Badge>{roleNames[person.role]}</Badge>
            )}
          </li>
        ))}
      </ul>
      <Confirm
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={`Remove ${leaving?.name}?`}
        action="Remove"
        onConfirm={async () => {
          if (!leaving) return
          await removeMember(spaceId, leaving.id)
          router.refresh()
        }}
      >
        <p>
          They lose access to this space and its Notion at once, in open windows and with their own MCP clients, too.
          You can invite them again at any time.
        </p>
      </Confirm>
    </Card>
  )
}

const roleOf = (value: string): Role => roles.find((role) => role === value) ?? 'member'
