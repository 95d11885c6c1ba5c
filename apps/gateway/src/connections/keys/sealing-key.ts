/** Which of several `CREDENTIAL_KEYS` seals, so that every replica can open what any of them has sealed. Pure. */
import { createHash } from 'node:crypto'
import type { CredentialKey } from './aes-vault.ts'

/** Name and fingerprint of a key: two keys of one name are two keys. The fingerprint of 32 random bytes gives nothing away. */
export const keyId = ({ kid, key }: CredentialKey): string =>
  `${kid}:${createHash('sha256').update('notion-mcp-gateway credential key\n').update(key).digest('hex').slice(0, 16)}`

/** The name in a {@link keyId}. */
export const kidOf = (id: string): string => id.slice(0, id.lastIndexOf(':'))

/** A process that serves from the same database. */
export interface Replica {
  /** Its {@link keyId}s, as listed in its `CREDENTIAL_KEYS`. */
  readonly keys: readonly string[]
  /** The one that it seals with. */
  readonly sealing: string
}

/**
 * The first of its own keys that every other live replica has announced.
 *
 * @returns the first of all when they have none in common: then nothing that any of them seals helps the others.
 */
export function sealingKey(own: readonly [string, ...string[]], others: readonly Pick<Replica, 'keys'>[]): string {
  return own.find((key) => others.every(({ keys }) => keys.includes(key))) ?? own[0]
}

/** Keys that live replicas seal with and this one lacks. */
export function missingKeys(own: readonly string[], others: readonly Replica[]): string[] {
  return [...new Set(others.map(({ sealing }) => sealing))].filter((key) => !own.includes(key))
}
