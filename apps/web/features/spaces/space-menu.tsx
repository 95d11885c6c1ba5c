'use client'

import { Check, ChevronsUpDown, Plus } from 'lucide-react'
import Link from 'next/link'
import { Menu, MenuItem, MenuLabel, MenuLine } from '@/components/ui/menu.tsx'
import { useCall } from '@/lib/use-call.ts'
import { switchSpace } from './space-api.ts'
import { texts } from './texts.ts'

export interface SpaceChoice {
  readonly id: string
  readonly name: string
}

interface SpaceMenuProps {
  readonly spaces: readonly SpaceChoice[]
  readonly active: SpaceChoice
  /** The page to open in another space. */
  readonly hrefOf: (spaceId: string) => string
}

/** Menu for switching the active space. */
export function SpaceMenu({ spaces, active, hrefOf }: SpaceMenuProps) {
  const call = useCall()
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className="flex h-11 w-full min-w-0 items-center gap-2.5 rounded-xl border border-line bg-canvas px-2.5 text-sm font-medium hover:bg-sunken"
        >
          <SpaceMark name={active.name} />
          <span className="min-w-0 flex-1 truncate text-left">
            <span className="sr-only">Space: </span>
            <bdi>{active.name}</bdi>
            <span className="sr-only"> – change space</span>
          </span>
          <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-soft" />
        </button>
      }
    >
      <MenuLabel>{texts.space.own}</MenuLabel>
      {spaces.map((space) => (
        <MenuItem
          key={space.id}
          onSelect={(event) => {
            if (space.id === active.id) return
            event.preventDefault()
            // Full page load, so that no data of the other space stays in memory.
            void call.run(async () => {
              await switchSpace(space.id)
              window.location.assign(hrefOf(space.id))
            })
          }}
        >
          <SpaceMark name={space.name} />
          <span className="min-w-0 flex-1 truncate">
            <bdi>{space.name}</bdi>
          </span>
          <Check aria-hidden className={space.id === active.id ? '' : 'invisible'} />
          {space.id === active.id && <span className="sr-only">(current)</span>}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem asChild>
        <Link href="/spaces/new">
          <Plus aria-hidden />
          {texts.space.new}
        </Link>
      </MenuItem>
      {call.trouble && (
        <p role="alert" className="max-w-60 px-2.5 py-1.5 text-[13px] text-danger">
          {call.trouble}
        </p>
      )}
    </Menu>
  )
}

/** First letter of the space name, as its icon. */
const SpaceMark = ({ name }: { name: string }) => (
  <span
    aria-hidden
    className="grid size-6 shrink-0 place-items-center rounded-md bg-sunken text-xs font-semibold text-soft"
  >
    {[...name.trim()][0]?.toUpperCase() ?? '?'}
  </span>
)
