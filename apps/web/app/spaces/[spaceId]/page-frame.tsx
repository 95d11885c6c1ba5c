import type { ReactNode } from 'react'

/** A page of a space that is read from top to bottom, with its heading. */
export function Page({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <div className="mx-auto w-full max-w-5xl px-4 py-7 sm:px-8 sm:py-10">
      <header className="mb-6 sm:mb-8">
        <h1 className="text-2xl font-semibold tracking-tight text-balance break-words">{title}</h1>
        {lead && <p className="mt-1.5 max-w-2xl text-[15px] text-pretty text-soft">{lead}</p>}
      </header>
      {children}
    </div>
  )
}
