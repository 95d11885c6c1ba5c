'use client'

import { DropdownMenu } from 'radix-ui'
import type { ComponentProps, ReactNode } from 'react'
import { cn } from './class-names.ts'

/**
 * A button that opens a list of things to do. Not modal, because that locks scrolling by a style element that our policy forbids; and not
 * in a portal, so that it stays in the landmark of its button.
 */
export function Menu({
  trigger,
  children,
  align = 'end',
}: {
  trigger: ReactNode
  children: ReactNode
  align?: 'start' | 'end'
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Content
        align={align}
        sideOffset={6}
        collisionPadding={12}
        className="z-20 max-w-[calc(100vw-1.5rem)] min-w-56 rounded-xl border border-line bg-surface p-1.5 text-sm text-ink shadow-dialog"
      >
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  )
}

const itemStyle =
  'flex min-h-9 cursor-default items-center gap-2.5 rounded-lg px-2.5 py-1.5 outline-none select-none data-highlighted:bg-sunken [&_svg]:size-4 [&_svg]:shrink-0'

export function MenuItem({ className, ...rest }: ComponentProps<typeof DropdownMenu.Item>) {
  return <DropdownMenu.Item className={cn(itemStyle, className)} {...rest} />
}

export function MenuLabel({ className, ...rest }: ComponentProps<typeof DropdownMenu.Label>) {
  return <DropdownMenu.Label className={cn('px-2.5 py-1.5 text-[13px] text-soft', className)} {...rest} />
}

export function MenuLine() {
  return <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
}
