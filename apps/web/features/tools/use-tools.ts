'use client'

import { useEffect, useRef, useState } from 'react'
import { ApiError } from '@/lib/api-client.ts'
import type { FinishedCall } from './call-result.tsx'
import type { CallOutcome, PastCall } from './past-call.ts'
import { mcpTools, type McpTools, type Tool } from './mcp.ts'

export type ToolsState =
  { status: 'loading' } | { status: 'ready'; tools: readonly Tool[] } | { status: 'failed'; trouble: ApiError }

export type CallState =
  | { status: 'idle' }
  | { status: 'running'; toolName: string }
  | { status: 'done'; call: FinishedCall }
  | { status: 'failed'; toolName: string; trouble: ApiError }
  | { status: 'cancelled'; toolName: string }

export interface ToolsControl {
  readonly tools: ToolsState
  readonly call: CallState
  reload(): void
  /** True once a result has arrived. */
  run(toolName: string, args: Record<string, unknown>): Promise<boolean>
  /** The last call's arguments. */
  readonly args: Record<string, unknown> | undefined
  cancel(): void
  /** Clears the last result. */
  clear(): void
}

/** The space's tools, loaded once, and one call at a time. `onTrouble` receives the problem code of a call that did not reach Notion. */
export function useTools(
  spaceId: string,
  onTrouble: (code: string) => void,
  onCalled: (call: Omit<PastCall, 'id' | 'calledAt'>) => void,
): ToolsControl {
  const mcp = useRef<McpTools>(undefined)
  const running = useRef<AbortController>(undefined)
  const [tools, setTools] = useState<ToolsState>({ status: 'loading' })
  const [call, setCall] = useState<CallState>({ status: 'idle' })
  const [args, setArgs] = useState<Record<string, unknown>>()
  const [round, setRound] = useState(0)

  const troubled = (error: unknown): { status: 'failed'; trouble: ApiError } => {
    const trouble =
      error instanceof ApiError
        ? error
        : new ApiError('internal', 'Something went wrong on this page. Reload it and check before retrying.')
    onTrouble(trouble.code)
    return { status: 'failed', trouble }
  }
  const latestTroubled = useRef(troubled)
  useEffect(() => {
    latestTroubled.current = troubled
  })

  useEffect(() => {
    const session = mcpTools(spaceId)
    mcp.current = session
    const leaving = new AbortController()
    session.list(leaving.signal).then(
      (listed) => !leaving.signal.aborted && setTools({ status: 'ready', tools: listed }),
      (error: unknown) => !leaving.signal.aborted && setTools(latestTroubled.current(error)),
    )
    return () => {
      leaving.abort()
      running.current?.abort()
      session.close()
    }
  }, [spaceId, round])

  const run = async (toolName: string, args: Record<string, unknown>) => {
    running.current?.abort()
    const attempt = new AbortController()
    running.current = attempt
    setCall({ status: 'running', toolName })
    setArgs(args)
    const startedAt = performance.now()
    const took = () => Math.round(performance.now() - startedAt)
    const called = (outcome: CallOutcome) => onCalled({ tool: toolName, arguments: args, outcome, tookMs: took() })
    try {
      const result = await mcp.current?.call(toolName, args, attempt.signal)
      if (!result || attempt.signal.aborted) return false
      setCall({ status: 'done', call: { toolName, result, tookMs: took() } })
      called(result.isError ? 'error' : 'ok')
      return true
    } catch (error) {
      if (attempt.signal.aborted) called('cancelled')
      else {
        const failed = troubled(error)
        called(failed.trouble.code === 'server_error' ? 'error' : 'failed')
        setCall({ ...failed, toolName })
      }
      return false
    }
  }

  const clear = () => {
    running.current?.abort()
    setCall({ status: 'idle' })
  }
  const cancel = () => {
    running.current?.abort()
    setCall(call.status === 'running' ? { status: 'cancelled', toolName: call.toolName } : { status: 'idle' })
  }

  return {
    tools,
    call,
    args,
    reload: () => {
      setTools({ status: 'loading' })
      setRound((n) => n + 1)
    },
    run,
    cancel,
    clear,
  }
}
