import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { AccessKey, CreatedAccessKey, NewAccessKey } from '@nmg/contract'
import { type AccessKeyStore, encodeAccessKey, type StoredAccessKey } from './access-key.ts'
import { Failure } from '../platform/failure.ts'
import type { Clock } from '../platform/clock.ts'

export interface AccessKeyDependencies {
  readonly clock: Clock
  readonly keys: AccessKeyStore
}

/** Limit per user and space. */
const MAX_KEYS = 100

/**
 * Creates an access key for a user's MCP clients. The result contains the key in plain text, which is not stored and cannot be read again.
 *
 * @throws {Failure} `invalid_request`, `store_unavailable`.
 */
export async function createAccessKey(
  { clock, keys }: AccessKeyDependencies,
  userId: string,
  { spaceId, scope, name, expiresAt }: NewAccessKey,
): Promise<CreatedAccessKey> {
  const expiry = expiresAt === undefined ? null : new Date(expiresAt)
  if (expiry && expiry <= clock())
    throw new Failure('invalid_request', 'expiresAt is in the past. Send a future time, or omit it.')
  if ((await keys.list(spaceId, userId)).length >= MAX_KEYS) {
    throw new Failure(
      'invalid_request',
      `You already have ${MAX_KEYS} keys in this space. Delete one that you no longer use.`,
    )
  }
  const key = encodeAccessKey(randomBytes(32))
  const hash = createHash('sha256').update(key).digest()
  const stored = await keys.add({ id: randomUUID(), hash, name, spaceId, userId, scope, expiresAt: expiry })
  return { ...describeAccessKey(stored), key }
}

/** The public description of a key, without its hash. */
export function describeAccessKey(key: StoredAccessKey): AccessKey {
  return {
    id: key.id,
    name: key.name,
    spaceId: key.spaceId,
    userId: key.userId,
    scope: key.scope,
    createdAt: key.createdAt.toISOString(),
    ...(key.expiresAt === null ? {} : { expiresAt: key.expiresAt.toISOString() }),
    ...(key.lastUsedAt === null ? {} : { lastUsedAt: key.lastUsedAt.toISOString() }),
  }
}
