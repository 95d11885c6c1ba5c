import type { ReactNode } from 'react'
import Link from 'next/link'
import { Logo } from '@/components/ui/marks.tsx'

/** Frame of the pages for authorization requests. */
export function OAuthFrame({
  title,
  lead,
  hasWayOn = false,
  children,
}: {
  title: string
  lead: string
  /** Shows a link into the app, for requests that end on this page. */
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
