import { Connection } from '@nmg/contract'
import { z } from 'zod'

/** `GET /api/notion`. */
export const ConnectionResponse = z.object({
  connected: z.boolean(),
  /** Absent when the space never connected. */
  integration: Connection.extend({
    /** Absent when this app does not know the user that the gateway names. */
    connectedByName: z.string().optional(),
    waitingByName: z.string().optional(),
  }).optional(),
})
export type ConnectionResponse = z.infer<typeof ConnectionResponse>
export type SpaceConnection = NonNullable<ConnectionResponse['integration']>
