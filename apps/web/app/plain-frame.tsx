import Link from 'next/link'
import type { ReactNode } from 'react'
import { Logo } from '@/components/ui/marks.tsx'
import { AccountMenu } from '@/features/accounts/account-menu.tsx'
import type { User } from '@/lib/membership.ts'

/** Frame of pages outside of a space. */
export function PlainFrame({ user, children }: { user: User; children: ReactNode }) {
  return (
    <>
      <header className="border-b border-line bg-surface">
        <div className="mx-auto flex h-14 max-w-5xl items-center gap-3 px-4 sm:px-6">
          <Link
            href="/"
            className="flex min-w-0 flex-1 items-center gap-2.5 truncate rounded-sm text-sm font-semibold tracking-tight"
          >
            <Logo className="size-6 shrink-0" />
            Notion MCP Gateway
          </Link>
          <AccountMenu id={user.id} name={user.name} email={user.email} />
        </div>
      </header>
      <main className="mx-auto w-full max-w-5xl flex-1 px-4 py-8 sm:px-6 sm:py-10">{children}</main>
    </>
  )
}
