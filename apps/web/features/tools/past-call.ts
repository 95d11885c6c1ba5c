/** A call that a person made by hand. What it answered is not kept: it may be anything that Notion holds. */
export interface PastCall {
  readonly id: string
  readonly tool: string
  readonly arguments: Record<string, unknown>
  readonly outcome: CallOutcome
  readonly tookMs: number
  readonly calledAt: string
}

/** `error`: the tool reported one; `failed`: the call did not reach Notion. */
export type CallOutcome = 'ok' | 'error' | 'failed' | 'cancelled'
