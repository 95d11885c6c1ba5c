'use client'

import { Check, ChevronsUpDown } from 'lucide-react'
import { Menu, MenuItem, MenuLabel } from '../../components/ui/menu.tsx'
import { enterSpace } from './space-api.ts'

export interface SpaceChoice {
  readonly id: string
  readonly name: string
}

/** The choice of the space that the person is in. */
export function SpaceMenu({ spaces, active }: { spaces: readonly SpaceChoice[]; active: SpaceChoice }) {
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          aria-label={`Space: ${active.name}. Change space`}
          className="flex h-9 min-w-0 items-center gap-1.5 rounded-lg px-2 text-sm font-medium hover:bg-sunken"
        >
          <span className="truncate">{active.name}</span>
          <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-soft" />
        </button>
      }
    >
      <MenuLabel>Your spaces</MenuLabel>
      {spaces.map((space) => (
        <MenuItem
          key={space.id}
          onSelect={async () => {
            if (space.id !== active.id && (await enterSpace(space.id))) window.location.assign('/')
          }}
        >
          <Check aria-hidden className={space.id === active.id ? '' : 'invisible'} />
          <span className="truncate">{space.name}</span>
          {space.id === active.id && <span className="sr-only">(current)</span>}
        </MenuItem>
      ))}
    </Menu>
  )
}
