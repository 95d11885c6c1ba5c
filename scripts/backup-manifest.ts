/** The manifest of a backup, and the connections that a restore would invalidate. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StartupError } from '../packages/process/src/index.ts'

const Schema = z.object({
  schema: z.string().regex(/^\w+$/),
  serverVersion: z.string(),
  migrations: z.array(z.string()).readonly(),
  tables: z
    .array(
      z.object({ name: z.string().regex(/^\w+$/), columns: z.array(z.string()).readonly(), rows: z.number().int() }),
    )
    .readonly(),
})

const Manifest = z.object({
  format: z.literal(1),
  release: z.string(),
  createdAt: z.iso.datetime(),
  gateway: Schema,
  /** Absent if the web app has no data here. */
  web: Schema.optional(),
  connections: z.array(
    z.object({
      spaceId: z.string(),
      workspace: z.string().nullable(),
      /** When its token was due to be refreshed; null for a connection that is not refreshed. */
      renewalDueAt: z.iso.datetime().nullable(),
    }),
  ),
})
export type Manifest = z.infer<typeof Manifest>

export const manifestPath = (folder: string) => join(folder, 'manifest.json')

/** @throws {StartupError} when the folder is not a backup that this release can read. */
export function readManifest(folder: string): Manifest {
  try {
    return Manifest.parse(JSON.parse(readFileSync(manifestPath(folder), 'utf8')))
  } catch (cause) {
    throw new StartupError(`${folder} does not contain a backup that this release can read.`, { cause })
  }
}

/**
 * The connections that have to be reconnected if the original ran from the backup until `now`: it has refreshed their tokens, and those in the
 * backup are invalid. Refreshes after a rejected call cannot be predicted.
 */
export function toReconnect({ connections }: Pick<Manifest, 'connections'>, now: Date): Manifest['connections'] {
  return connections.filter(({ renewalDueAt }) => renewalDueAt !== null && Date.parse(renewalDueAt) <= now.getTime())
}

/** The message for the operator, before and after a restore. */
export function reconnectText(manifest: Manifest, now: Date): string {
  const affected = toReconnect(manifest, now)
  const all = `${manifest.connections.length} connections`
  if (affected.length === 0) {
    return `The backup of ${manifest.createdAt} holds ${all}. None was due for a refresh since then. A connection that was refreshed anyway has to be reconnected.`
  }
  const names = affected
    .slice(0, 20)
    .map(({ spaceId, workspace }) => `  ${spaceId}${workspace ? ` (${workspace})` : ''}`)
  return [
    `The backup of ${manifest.createdAt} holds ${all}. The tokens of ${affected.length} were due for a refresh since then. If the original ran until then, these spaces have to reconnect Notion:`,
    ...names,
    ...(affected.length > names.length ? [`  and ${affected.length - names.length} more`] : []),
  ].join('\n')
}
