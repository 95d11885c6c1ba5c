'use client'

import { Menu as MenuIcon } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useEffect, useState, type ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { Drawer } from '@/components/ui/drawer.tsx'
import { LinkProgress } from '@/components/ui/link-progress.tsx'
import { Logo } from '@/components/ui/marks.tsx'
import { AccountMenu } from '@/features/accounts/account-menu.tsx'
import { ConnectionBanner } from '@/features/integrations/connection-banner.tsx'
import { ConnectionProvider } from '@/features/integrations/connection-context.tsx'
import { ConnectionStatus } from '@/features/integrations/connection-status.tsx'
import type { ConnectionView } from '@/features/integrations/connection-view.ts'
import type { Permission } from '@/features/integrations/next-step.tsx'
import { SpaceMenu, type SpaceChoice } from '@/features/spaces/space-menu.tsx'
import { destinations, isAt } from './navigation.ts'

interface ShellProps {
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
  readonly space: SpaceChoice
  readonly spaces: readonly SpaceChoice[]
  readonly connection: ConnectionView
  readonly permission: Permission
  readonly children: ReactNode
}

/** The frame around each page of a space: beside it on wide screens, in a drawer on small ones. The page scrolls within it. */
export function SpaceShell({ user, space, spaces, connection, permission, children }: ShellProps) {
  const path = usePathname()
  const [isDrawerOpen, setDrawerOpen] = useState(false)
  useClosedOnWideScreens(setDrawerOpen)

  const here = destinations.find(({ href }) => isAt(path, href(space.id)))
  const connectionPage = `/spaces/${space.id}/connection` as Route
  const spaceMenu = <SpaceMenu spaces={spaces} active={space} hrefOf={(id) => sameSection(path, space.id, id)} />
  const links = <Links spaceId={space.id} path={path} onGo={() => setDrawerOpen(false)} />
  return (
    <ConnectionProvider spaceId={space.id} initial={connection} permission={permission}>
      {/* The body takes exactly the window's height where it has such a frame: see globals.css. */}
      <div data-app-frame className="flex min-h-0 flex-1">
        <a
          href="#content"
          className="sr-only z-30 rounded-lg bg-surface px-4 py-2 text-sm font-medium shadow-dialog focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
        >
          Skip to content
        </a>
        <aside
          aria-label="Space and account"
          className="flex w-64 shrink-0 flex-col gap-4 border-r border-line bg-surface p-3 max-lg:hidden"
        >
          <header className="space-y-3">
            <Brand />
            {spaceMenu}
          </header>
          {links}
          <div className="space-y-1">
            <ConnectionStatus page={connectionPage} />
            <AccountMenu {...user} wide />
          </div>
        </aside>
        <div className="flex min-w-0 flex-1 flex-col">
          <header className="flex h-14 shrink-0 items-center gap-1 border-b border-line bg-surface px-2.5 sm:px-4 lg:hidden">
            <Button
              look="quiet"
              size="icon"
              aria-label="Open navigation"
              aria-haspopup="dialog"
              onClick={() => setDrawerOpen(true)}
            >
              <MenuIcon aria-hidden />
            </Button>
            <p dir="auto" className="min-w-0 flex-1 truncate px-1 text-sm font-semibold tracking-tight">
              {space.name}
            </p>
            <ConnectionStatus page={connectionPage} compact />
            <AccountMenu {...user} />
          </header>
          <Drawer open={isDrawerOpen} onClose={() => setDrawerOpen(false)} title="Navigation">
            {spaceMenu}
            {links}
          </Drawer>
          {/* relative: else what is there for screen readers alone would lengthen the page behind. */}
          <main
            id="content"
            tabIndex={-1}
            className="relative flex min-h-0 flex-1 flex-col overflow-y-auto outline-none"
          >
            {!here?.showsConnection && <ConnectionBanner worksWithNotion={here?.needsNotion ?? false} />}
            {children}
          </main>
        </div>
      </div>
    </ConnectionProvider>
  )
}

const Brand = () => (
  <p className="flex h-9 items-center gap-2.5 px-2 text-sm font-semibold tracking-tight">
    <Logo className="size-6" />
    Notion MCP Gateway
  </p>
)

function Links({ spaceId, path, onGo }: { spaceId: string; path: string; onGo: () => void }) {
  return (
    <nav aria-label="Space" className="min-h-0 flex-1 overflow-y-auto">
      <ul className="space-y-0.5">
        {destinations.map(({ label, icon: Icon, href }) => {
          const isHere = isAt(path, href(spaceId))
          return (
            <li key={label}>
              <Link
                href={href(spaceId)}
                aria-current={isHere ? 'page' : undefined}
                onClick={onGo}
                // Each page is made for its request, so there is nothing to fetch ahead.
                prefetch={false}
                className={cn(
                  'flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm font-medium text-soft hover:bg-sunken hover:text-ink max-lg:h-11',
                  isHere && 'bg-sunken text-ink',
                )}
              >
                <LinkProgress icon={<Icon aria-hidden className="size-4 shrink-0" />} />
                {label}
              </Link>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

/** The same page in another space, or its start where the page is about something that only this space has. */
function sameSection(path: string, spaceId: string, otherId: string): string {
  const here = destinations.find(({ href }) => path === href(spaceId))
  return here ? here.href(otherId) : `/spaces/${otherId}`
}

function useClosedOnWideScreens(setOpen: (isOpen: boolean) => void): void {
  useEffect(() => {
    const wide = window.matchMedia('(min-width: 64rem)')
    const close = () => setOpen(false)
    wide.addEventListener('change', close)
    return () => wide.removeEventListener('change', close)
  }, [setOpen])
}
