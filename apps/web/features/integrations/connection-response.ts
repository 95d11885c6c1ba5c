import { Connection } from '@nmg/contract'
import { z } from 'zod'

/** `GET /api/notion`. */
export const ConnectionResponse = z.object({
  connected: z.boolean(),
  /** Absent if the space was never connected. */
  integration: Connection.extend({
    /** Absent if this app has no such user. */
    connectedByName: z.string().optional(),
    waitingByName: z.string().optional(),
  }).optional(),
})
export type ConnectionResponse = z.infer<typeof ConnectionResponse>
export type SpaceConnection = NonNullable<ConnectionResponse['integration']>
