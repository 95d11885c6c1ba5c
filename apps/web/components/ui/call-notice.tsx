'use client'

import type { CallControl } from '@/lib/use-call.ts'
import { Notice } from './notice.tsx'

/** Error of the last call; renders nothing without one. */
export function CallNotice({ call: { trouble }, className }: { call: CallControl; className?: string }) {
  if (!trouble) return null
  return (
    <Notice tone="danger" {...(className !== undefined && { className })}>
      {trouble}
    </Notice>
  )
}
