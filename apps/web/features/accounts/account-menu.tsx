'use client'

import { LogOut } from 'lucide-react'
import { useState } from 'react'
import { Menu, MenuItem, MenuLabel, MenuLine } from '../../components/ui/menu.tsx'
import { signOut } from './account-api.ts'

/** Who is signed in, and the way out. */
export function AccountMenu({ name, email }: { name: string; email: string }) {
  const [refusal, setRefusal] = useState<string>()
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={`Account of ${name}`}
          className="grid size-9 shrink-0 place-items-center rounded-full bg-info-soft text-[13px] font-semibold text-info"
        >
          {initials(name)}
        </button>
      }
    >
      <MenuLabel>
        <span className="block truncate text-sm font-medium text-ink">{name}</span>
        <span className="block truncate">{email}</span>
      </MenuLabel>
      <MenuLine />
      <MenuItem
        onSelect={async (event) => {
          event.preventDefault()
          const reason = await signOut()
          if (reason === undefined) window.location.assign('/sign-in')
          else setRefusal(reason)
        }}
      >
        <LogOut aria-hidden />
        Sign out
      </MenuItem>
      {refusal && (
        <p role="alert" className="max-w-64 px-2.5 py-1.5 text-[13px] text-danger">
          {refusal}
        </p>
      )}
    </Menu>
  )
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '')
  return letters.join('').toUpperCase() || '?'
}
