import * as z from 'zod/mini'

/** `error`: the tool or the server reported one; `failed`: no result arrived, and Notion may have applied the call all the same. */
export const CallOutcome = z.enum(['ok', 'error', 'failed', 'cancelled'])
export type CallOutcome = z.infer<typeof CallOutcome>

/** A call on the tools page. Its result is not stored, because it can contain any data from Notion. */
export const PastCall = z.readonly(
  z.object({
    id: z.string(),
    tool: z.string(),
    arguments: z.record(z.string(), z.unknown()),
    outcome: CallOutcome,
    tookMs: z.number(),
    calledAt: z.string(),
  }),
)
export type PastCall = z.infer<typeof PastCall>
