import type { Route } from 'next'
import type { ReactNode } from 'react'
import { Logo } from '@/components/ui/marks.tsx'

/** Frame of the pages for users who are not signed in. */
export function LandingPage({
  title,
  lead,
  children,
  footer,
}: {
  title: string
  lead: string
  children: ReactNode
  footer: ReactNode
}) {
  return (
    <main className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center px-5 py-12">
      <p className="flex items-center gap-2.5 text-sm font-semibold tracking-tight">
        <Logo className="size-8" />
        Notion MCP Gateway
      </p>
      <h1 className="mt-8 text-2xl font-semibold tracking-tight">{title}</h1>
      <p className="mt-1.5 mb-7 text-[15px] text-pretty text-soft">{lead}</p>
      {children}
      <p className="mt-6 text-sm text-soft">{footer}</p>
    </main>
  )
}

export const linkStyle = 'rounded-sm font-medium text-link underline-offset-4 hover:underline'

/** URL of another landing page with the same `next`. */
export const withNext = (path: '/sign-in' | '/sign-up', next: string): Route =>
  next === '/' ? path : `${path}?${new URLSearchParams({ next })}`
