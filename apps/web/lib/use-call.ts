'use client'

import { useState } from 'react'
import { messageOf } from './api-client.ts'

type State = { status: 'idle'; trouble?: string } | { status: 'busy' } | { status: 'done' }

export interface CallControl {
  /** `done` once a call has succeeded, until the next one or {@link reset}. */
  readonly status: State['status']
  /** Why the last call failed. */
  readonly trouble: string | undefined
  /** Runs the call and keeps what became of it. */
  run(call: () => Promise<void>): Promise<void>
  reset(): void
}

/** The state of a form or button that calls the API. */
export function useCall(): CallControl {
  const [state, setState] = useState<State>({ status: 'idle' })
  return {
    status: state.status,
    trouble: state.status === 'idle' ? state.trouble : undefined,
    async run(call) {
      setState({ status: 'busy' })
      try {
        await call()
        setState({ status: 'done' })
      } catch (error) {
        setState({ status: 'idle', trouble: messageOf(error) })
      }
    },
    reset: () => setState({ status: 'idle' }),
  }
}
