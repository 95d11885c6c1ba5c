'use client'

import { Button } from '@/components/ui/button.tsx'

export default function ErrorPage({ reset }: { reset: () => void }) {
  return (
    <main className="mx-auto flex w-full max-w-md flex-1 flex-col items-start justify-center px-5 py-12">
      <h1 className="text-2xl font-semibold tracking-tight">Something went wrong</h1>
      <p className="mt-1.5 mb-6 text-[15px] text-pretty text-soft">
        This page couldn’t be loaded. Try again. If it keeps happening, contact your administrator.
      </p>
      <Button onClick={reset}>Try again</Button>
    </main>
  )
}
