import { HistoryEvent } from '@nmg/contract'
import { z } from 'zod'

/** What the history can be narrowed down to. */
export const historyKinds = ['all', 'authorized', 'renewed', 'refused', 'disconnected'] as const
export type HistoryKind = (typeof historyKinds)[number]

/** `GET /api/notion/history`. */
export const HistoryResponse = z.object({
  events: z.array(
    HistoryEvent.extend({
      /** Absent when this app does not know the user that the gateway names. */
      byName: z.string().optional(),
      confirmedByName: z.string().optional(),
    }),
  ),
  /** To ask for older ones; absent when there are none. */
  nextBefore: z.number().optional(),
})
export type HistoryResponse = z.infer<typeof HistoryResponse>
export type PastEvent = HistoryResponse['events'][number]
