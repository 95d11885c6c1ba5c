/** Chooses the one of several `CREDENTIAL_KEYS` that seals, so that every replica can open what any replica seals. Pure. */
import { createHash } from 'node:crypto'
import type { CredentialKey } from './aes-vault.ts'

/** Name and fingerprint of a key, to distinguish keys of the same name. The fingerprint of 32 random bytes reveals nothing. */
export const keyId = ({ kid, key }: CredentialKey): string =>
  `${kid}:${createHash('sha256').update('notion-mcp-gateway credential key\n').update(key).digest('hex').slice(0, 16)}`

/** The key name in a {@link keyId}. */
export const kidOf = (id: string): string => id.slice(0, id.lastIndexOf(':'))

/** A gateway process on the same database. */
export interface Replica {
  /** Its {@link keyId}s, as listed in its `CREDENTIAL_KEYS`. */
  readonly keys: readonly string[]
  /** The key that it seals with. */
  readonly sealing: string
}

/**
 * The first of the replica's own keys that every other live replica has announced.
 *
 * @returns the first key when they have none in common, since no choice would help then.
 */
export function sealingKey(own: readonly [string, ...string[]], others: readonly Pick<Replica, 'keys'>[]): string {
  return own.find((key) => others.every(({ keys }) => keys.includes(key))) ?? own[0]
}

/** Keys that live replicas seal with and that this one lacks. */
export function missingKeys(own: readonly string[], others: readonly Replica[]): string[] {
  return [...new Set(others.map(({ sealing }) => sealing))].filter((key) => !own.includes(key))
}
