import '@fontsource-variable/inter'
import './globals.css'

import type { Metadata, Viewport } from 'next'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { runtime } from '@/lib/runtime.ts'
import { DemoBanner } from './demo-banner.tsx'

export const metadata: Metadata = {
  title: { default: 'Notion MCP Gateway', template: '%s · Notion MCP Gateway' },
  description: 'Connect your team’s Notion once for every assistant you use.',
  robots: { index: false, follow: false },
}

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#faf9f7' },
    { media: '(prefers-color-scheme: dark)', color: '#151412' },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Every page is made for its request: the nonce of the Content-Security-Policy is new each time.
  await connection()
  return (
    <html lang="en">
      <body className="flex min-h-dvh flex-col">
        {runtime().isDemo && <DemoBanner />}
        {children}
      </body>
    </html>
  )
}
