/** A call that a person made by hand. What it answered is not kept: it may be anything that Notion holds. */
export interface PastCall {
  readonly id: string
  readonly tool: string
  readonly arguments: Record<string, unknown>
  readonly outcome: CallOutcome
  readonly tookMs: number
  readonly calledAt: string
}

/** `error`: the tool or the server reported one; `failed`: no result arrived, and Notion may have applied the call all the same. */
export type CallOutcome = 'ok' | 'error' | 'failed' | 'cancelled'
