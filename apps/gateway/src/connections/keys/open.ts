import type { Database } from '../../platform/database.ts'
import { every } from '../../platform/every.ts'
import { describeError, type Log } from '../../platform/log.ts'
import type { Vault } from '../vault.ts'
import { aesVault, type CredentialKey } from './aes-vault.ts'
import { checkDataKeys, rewrapDataKeys } from './data-keys.ts'
import { joinReplicas } from './postgres-replicas.ts'
import { keyId, kidOf } from './sealing-key.ts'

/** At most 10 s with the jitter of {@link every}; see postgres-replicas.ts. */
const RENEW_REPLICA_EVERY_MS = 8_000

/**
 * Opens a vault that seals with a key which every replica has, and rewraps stored data keys when that key changes.
 *
 * @throws {Failure} `sealed_value_unreadable` when a key in use is missing; `store_unavailable`.
 */
export async function openVault(
  sql: Database,
  keys: readonly [CredentialKey, ...CredentialKey[]],
  log: Log,
): Promise<Vault & { close(): Promise<void> }> {
  await checkDataKeys(sql, aesVault(keys))
  const [firstKey, ...otherKeys] = keys
  const replicas = await joinReplicas(sql, [keyId(firstKey), ...otherKeys.map(keyId)], log)
  const vault = aesVault(keys, () => kidOf(replicas.sealing()))

  /** Repeated, since a replica that switched later may have sealed with the old key after the first round. */
  const rewrap = async (isFirstRound: boolean): Promise<void> => {
    const kid = kidOf(replicas.sealing())
    if (kid !== firstKey.kid) {
      if (isFirstRound)
        log.info('data_keys.rewrap_pending', { kid: firstKey.kid, advice: 'other replicas lack this key' })
      return
    }
    await rewrapDataKeys(sql, vault, kid, log).then(
      (count) => (isFirstRound || count > 0) && log.info('data_keys.rewrapped', { count, kid }),
      (error: unknown) => log.error('data_keys.not_rewrapped', describeError(error)),
    )
  }
  let rewrapping = rewrap(true)
  const renewReplica = async () => {
    const isPromoted = await replicas.renew()
    await (rewrapping = rewrap(isPromoted))
  }
  const stopRenewing = every(RENEW_REPLICA_EVERY_MS, renewReplica, log)

  return {
    ...vault,
    async close() {
      await stopRenewing()
      await rewrapping
      await replicas.leave().catch((error: unknown) => log.warn('replica.not_removed', describeError(error)))
    },
  }
}
