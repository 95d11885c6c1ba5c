import type { ReactNode } from 'react'
import Link from 'next/link'
import { Logo } from '@/components/ui/marks.tsx'

/** The frame of the pages to which a client's request leads. */
export function OAuthFrame({
  title,
  lead,
  hasWayOn = false,
  children,
}: {
  title: string
  lead: string
  /** Where the client’s request ends here, the user can go on in the app. */
  hasWayOn?: boolean
  children?: ReactNode
}) {
  return (
    <main className="mx-auto flex w-full max-w-md flex-1 flex-col justify-center px-5 py-12">
      <p className="flex items-center gap-2.5 text-sm font-semibold tracking-tight">
        <Logo className="size-8" />
        Notion MCP Gateway
      </p>
      <h1 className="mt-8 text-2xl font-semibold tracking-tight text-balance">{title}</h1>
      <p className="mt-1.5 mb-7 text-[15px] text-pretty text-soft">{lead}</p>
      {children}
      {hasWayOn && (
        <p className="mt-6 text-sm">
          <Link href="/" className="rounded-sm font-medium text-link underline-offset-4 hover:underline">
            Go to your space
          </Link>
        </p>
      )}
    </main>
  )
}
