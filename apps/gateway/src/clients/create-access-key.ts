import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { AccessKey, CreatedAccessKey, NewAccessKey } from '@nmg/contract'
import { accessKey } from './access-key.ts'
import { Failure } from '../platform/failure.ts'
import type { AccessKeyStore, StoredAccessKey } from './ports.ts'
import type { Clock } from '../platform/clock.ts'

export interface AccessKeyDependencies {
  readonly clock: Clock
  readonly keys: AccessKeyStore
}

/** More keys of one person in one space are more than anybody keeps an eye on. */
const MOST_KEYS = 100

/**
 * Makes a key for a person's MCP clients. The answer is the only place where the key itself ever stands.
 *
 * @throws {Failure} `invalid_request`, `store_unavailable`.
 */
export async function createAccessKey(
  { clock, keys }: AccessKeyDependencies,
  userId: string,
  { spaceId, scope, name, expiresAt }: NewAccessKey,
): Promise<CreatedAccessKey> {
  const end = expiresAt === undefined ? null : new Date(expiresAt)
  if (end && end <= clock())
    throw new Failure('invalid_request', 'expiresAt is in the past. Give a later moment, or none.')
  if ((await keys.list(spaceId, userId)).length >= MOST_KEYS) {
    throw new Failure(
      'invalid_request',
      `You have ${MOST_KEYS} keys in this space. Delete one that is not used any more.`,
    )
  }
  const key = accessKey(randomBytes(32))
  const hash = createHash('sha256').update(key).digest()
  const stored = await keys.add({ id: randomUUID(), hash, name, spaceId, userId, scope, expiresAt: end })
  return { ...describeAccessKey(stored), key }
}

/** A key as people see it: everything but what proves anything. */
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
