import { Connection } from '@nmg/contract'
import { z } from 'zod'

/** `GET /api/notion`. */
export const NotionAnswer = z.object({
  connected: z.boolean(),
  /** Absent when the space never connected. */
  integration: Connection.extend({
    /** Absent when this app does not know the person that the gateway names. */
    connectedByName: z.string().optional(),
    waitingByName: z.string().optional(),
  }).optional(),
})
export type NotionAnswer = z.infer<typeof NotionAnswer>
export type SpaceConnection = NonNullable<NotionAnswer['integration']>
