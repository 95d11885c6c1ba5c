'use client'

import { useEffect, useState } from 'react'
import * as z from 'zod/mini'
import { Badge, type Tone } from '@/components/ui/badge.tsx'
import { Time } from '@/components/ui/time.tsx'
import { callApi, readApi } from '@/lib/api-client.ts'
import { PastCall, type CallOutcome } from './past-call.ts'

const outcomes: Record<CallOutcome, { readonly tone: Tone; readonly label: string }> = {
  ok: { tone: 'success', label: 'worked' },
  error: { tone: 'danger', label: 'error' },
  failed: { tone: 'danger', label: 'no result' },
  cancelled: { tone: 'neutral', label: 'cancelled' },
}

interface PastCallsControl {
  readonly calls: readonly PastCall[]
  keep(call: Omit<PastCall, 'id' | 'calledAt'>): void
  forget(): void
}

/** Size limit of stored arguments: they must fit into a request body. */
const LONGEST = 60_000

/** The user's own last calls in the space, kept by the server. */
export function usePastCalls(spaceId: string): PastCallsControl {
  const path = `/api/spaces/${spaceId}/tool-calls`
  const [calls, setCalls] = useState<readonly PastCall[]>([])
  useEffect(() => {
    const leaving = new AbortController()
    readApi(path, z.object({ calls: z.array(PastCall) }), { signal: leaving.signal }).then(
      (read) => setCalls(read.calls),
      // Ignore failures: the list is optional.
      () => undefined,
    )
    return () => leaving.abort()
  }, [path])
  return {
    calls,
    keep(call) {
      setCalls((known) => [
        { ...call, id: crypto.randomUUID(), calledAt: new Date().toISOString() },
        ...known.slice(0, 19),
      ])
      if (JSON.stringify(call).length > LONGEST) return
      callApi(path, { method: 'POST', body: call, keepalive: true }).catch(() => undefined)
    },
    forget() {
      setCalls([])
      callApi(path, { method: 'DELETE' }).catch(() => undefined)
    },
  }
}

export function PastCalls({
  control: { calls, forget },
  onUse,
}: {
  control: PastCallsControl
  onUse: (call: PastCall) => void
}) {
  if (calls.length === 0) return null
  return (
    <section aria-labelledby="past-calls" className="mt-8 border-t border-line pt-5">
      <header className="mb-2 flex items-center justify-between gap-3">
        <h3 id="past-calls" className="text-sm font-semibold">
          Your last calls
        </h3>
        <button
          type="button"
          onClick={forget}
          className="rounded-sm text-[13px] font-medium text-soft hover:text-ink hover:underline"
        >
          Clear
        </button>
      </header>
      <ul className="divide-y divide-line">
        {calls.map((call) => (
          <li key={call.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2 text-[13px]">
            <button
              type="button"
              onClick={() => onUse(call)}
              className="min-w-0 flex-1 basis-48 truncate rounded-sm text-left hover:underline"
            >
              <span className="sr-only">Use again: </span>
              <span className="font-mono font-medium">{call.tool}</span>{' '}
              <span className="font-mono text-soft">{JSON.stringify(call.arguments).slice(0, 200)}</span>
            </button>
            <Badge tone={outcomes[call.outcome].tone}>{outcomes[call.outcome].label}</Badge>
            <span className="text-soft tabular-nums">{call.tookMs} ms</span>
            <span className="text-faint">
              <Time at={call.calledAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
