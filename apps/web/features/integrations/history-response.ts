import { HistoryEvent } from '@nmg/contract'
import { z } from 'zod'

/** Filters of the history. */
export const historyKinds = ['all', 'authorized', 'renewed', 'refused', 'disconnected'] as const
export type HistoryKind = (typeof historyKinds)[number]

/** `GET /api/notion/history`. */
export const HistoryResponse = z.object({
  events: z.array(
    HistoryEvent.extend({
      /** Absent if this app has no such user. */
      byName: z.string().optional(),
      confirmedByName: z.string().optional(),
    }),
  ),
  /** Cursor for older events; absent on the last page. */
  nextBefore: z.number().optional(),
})
export type HistoryResponse = z.infer<typeof HistoryResponse>
export type PastEvent = HistoryResponse['events'][number]
