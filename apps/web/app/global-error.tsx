'use client'

import './globals.css'
import { Button } from '@/components/ui/button.tsx'

/** When even the frame of the pages could not be made. */
export default function GlobalError({ reset }: { reset: () => void }) {
  return (
    <html lang="en">
      <body>
        <title>Something went wrong</title>
        <main className="mx-auto max-w-md px-5 py-24">
          <h1 className="text-2xl font-semibold tracking-tight">Something went wrong</h1>
          <p className="mt-1.5 mb-6 text-[15px] text-soft">The app couldn’t be loaded. Try again in a moment.</p>
          <Button onClick={reset}>Try again</Button>
        </main>
      </body>
    </html>
  )
}
