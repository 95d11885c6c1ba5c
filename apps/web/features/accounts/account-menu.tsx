'use client'

import { LogOut, UserRound } from 'lucide-react'
import Link from 'next/link'
import { DiscardDrafts } from '@/components/discard-drafts.tsx'
import { Avatar } from '@/components/ui/avatar.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { Menu, MenuItem, MenuLabel, MenuLine } from '@/components/ui/menu.tsx'
import { useSignOut } from '@/lib/drafts/use-sign-out.ts'
import { useCall } from '@/lib/use-call.ts'
import { texts } from './texts.ts'

/** Menu of the signed-in user, with sign-out. `wide` shows the name beside the avatar. */
export function AccountMenu({
  id,
  name,
  email,
  wide = false,
}: {
  id: string
  name: string
  email: string
  wide?: boolean
}) {
  const call = useCall()
  const leaving = useSignOut(id, () => window.location.assign('/sign-in'))
  return (
    <>
      <Menu
        align={wide ? 'start' : 'end'}
        trigger={
          <button
            type="button"
            aria-label={wide ? undefined : `Account of ${name}`}
            className={cn(
              'flex shrink-0 items-center gap-2.5 rounded-full text-left',
              wide && 'w-full rounded-xl p-2 hover:bg-sunken',
            )}
          >
            <Avatar name={name} />
            {wide && (
              <span className="min-w-0 flex-1">
                <span className="block truncate text-sm font-medium">
                  <span className="sr-only">Account of </span>
                  {name}
                </span>
                <span className="block truncate text-[13px] text-soft">{email}</span>
              </span>
            )}
          </button>
        }
      >
        <MenuLabel>
          <span className="block truncate text-sm font-medium text-ink">{name}</span>
          <span className="block truncate">{email}</span>
        </MenuLabel>
        <MenuLine />
        <MenuItem asChild>
          <Link href="/account">
            <UserRound aria-hidden />
            {texts.account.title}
          </Link>
        </MenuItem>
        <MenuItem
          onSelect={(event) => {
            event.preventDefault()
            void call.run(leaving.start)
          }}
        >
          <LogOut aria-hidden />
          {texts.account.signOut}
        </MenuItem>
        {call.trouble && (
          <p role="alert" className="max-w-64 px-2.5 py-1.5 text-[13px] text-danger">
            {call.trouble}
          </p>
        )}
      </Menu>
      <DiscardDrafts count={leaving.draftCount} onClose={leaving.cancel} onConfirm={leaving.confirm} />
    </>
  )
}
