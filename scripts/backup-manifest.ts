/** What a backup says of itself, and what that means for the connections in it. */
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
  /** Absent where the web app keeps no data here. */
  web: Schema.optional(),
  connections: z.array(
    z.object({
      spaceId: z.string(),
      workspace: z.string().nullable(),
      /** When its token would have been renewed next; null for a connection that is not renewed. */
      renewalDueAt: z.iso.datetime().nullable(),
    }),
  ),
})
export type Manifest = z.infer<typeof Manifest>

export const manifestPath = (folder: string) => join(folder, 'manifest.json')

/** @throws {StartupError} when the folder is no backup that this release knows. */
export function readManifest(folder: string): Manifest {
  try {
    return Manifest.parse(JSON.parse(readFileSync(manifestPath(folder), 'utf8')))
  } catch (cause) {
    throw new StartupError(`${folder} holds no backup that this release can read.`, { cause })
  }
}

/**
 * Which connections have to be made again if the original ran on from the backup until `now`: it has renewed their tokens, and the ones in the backup
 * are worthless. Tokens that were renewed because a call was refused cannot be foreseen.
 */
export function toReconnect({ connections }: Pick<Manifest, 'connections'>, now: Date): Manifest['connections'] {
  return connections.filter(({ renewalDueAt }) => renewalDueAt !== null && Date.parse(renewalDueAt) <= now.getTime())
}

/** For the operator, before and after a restore. */
export function reconnectText(manifest: Manifest, now: Date): string {
  const affected = toReconnect(manifest, now)
  const all = `${manifest.connections.length} connections`
  if (affected.length === 0) {
    return `The backup of ${manifest.createdAt} holds ${all}. None was due to be renewed since; one whose token was renewed since all the same has to be reconnected.`
  }
  const names = affected
    .slice(0, 20)
    .map(({ spaceId, workspace }) => `  ${spaceId}${workspace ? ` (${workspace})` : ''}`)
  return [
    `The backup of ${manifest.createdAt} holds ${all}. The tokens of ${affected.length} were due to be renewed since. If the original ran on until then, these spaces have to reconnect Notion:`,
    ...names,
    ...(affected.length > names.length ? [`  and ${affected.length - names.length} more`] : []),
  ].join('\n')
}
