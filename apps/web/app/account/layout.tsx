import Link from 'next/link'
import type { ReactNode } from 'react'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { linkStyle } from '@/app/landing-page.tsx'
import { PlainFrame } from '@/app/plain-frame.tsx'
import { texts } from '@/features/accounts/texts.ts'

/** Frame of the account pages. */
export default async function AccountLayout({ children }: { children: ReactNode }) {
  const { user } = await requireSignedInUser()
  return (
    <PlainFrame user={user}>
      <div className="mx-auto max-w-2xl">
        <nav aria-label="Account" className="mb-6 flex flex-wrap gap-x-5 gap-y-2 text-sm">
          <Link href="/" className={linkStyle}>
            {texts.account.back}
          </Link>
          <Link href="/account" className={linkStyle}>
            {texts.account.title}
          </Link>
          <Link href="/account/clients" className={linkStyle}>
            {texts.account.clients}
          </Link>
        </nav>
        {children}
      </div>
    </PlainFrame>
  )
}
