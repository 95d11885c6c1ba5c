import Link from 'next/link'
import type { ReactNode } from 'react'
import { requireVisitor } from '../../lib/visitor.ts'
import { linkStyle } from '../entrance.tsx'
import { PlainFrame } from '../plain-frame.tsx'

/** The frame of the pages about one's own account. */
export default async function AccountLayout({ children }: { children: ReactNode }) {
  const { person } = await requireVisitor()
  return (
    <PlainFrame person={person}>
      <div className="mx-auto max-w-2xl">
        <p className="mb-4 text-sm">
          <Link href="/" className={linkStyle}>
            Back to your space
          </Link>
        </p>
        {children}
      </div>
    </PlainFrame>
  )
}
