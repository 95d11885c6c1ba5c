'use client'

import type { CallControl } from '@/lib/use-call.ts'
import { Notice } from './notice.tsx'

/** Why the last call failed; nothing when it did not. */
export function CallNotice({ call: { trouble }, className }: { call: CallControl; className?: string }) {
  if (!trouble) return null
  return (
    <Notice tone="danger" {...(className !== undefined && { className })}>
      {trouble}
    </Notice>
  )
}
