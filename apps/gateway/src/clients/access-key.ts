/**
 * Access keys: `nmg_`, 32 random bytes in base 62, and a checksum of both. Only letters and digits, so that a double click selects the
 * whole key. Secret scanners find keys with `nmg_[0-9A-Za-z]{49}`, and the checksum rules out strings that only look like a key.
 */
import type { Scope } from '@nmg/contract'

/** An access key in the database: the hash of its text, and the access that it grants. */
export interface StoredAccessKey {
  readonly id: string
  /** SHA-256. */
  readonly hash: Buffer
  readonly name: string
  readonly spaceId: string
  readonly userId: string
  readonly scope: Scope
  readonly createdAt: Date
  readonly expiresAt: Date | null
  /** Accurate to about a minute. */
  readonly lastUsedAt: Date | null
}

/** Access keys of MCP clients. @throws {Failure} `store_unavailable`, from each method. */
export interface AccessKeyStore {
  add(key: Omit<StoredAccessKey, 'createdAt' | 'lastUsedAt'>): Promise<StoredAccessKey>
  find(hash: Buffer): Promise<StoredAccessKey | undefined>
  exists(id: string): Promise<boolean>
  /** Newest first. */
  list(spaceId: string, userId: string | undefined): Promise<StoredAccessKey[]>
  /** Deletes the key and notifies all replicas. Does nothing if the key belongs to a space or user other than the given one. */
  remove(
    id: string,
    owner: { readonly spaceId: string | undefined; readonly userId: string | undefined },
  ): Promise<void>
}

export const ACCESS_KEY_PREFIX = 'nmg_'
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Digits needed in base 62 for 256 bits (body) and for 32 bits (checksum). */
const BODY_LENGTH = 43
const CHECKSUM_LENGTH = 6
const PATTERN = new RegExp(`^${ACCESS_KEY_PREFIX}[0-9A-Za-z]{${BODY_LENGTH + CHECKSUM_LENGTH}}$`)

/** @param random 32 bytes from a cryptographic random number generator. */
export function encodeAccessKey(random: Uint8Array): string {
  const body = base62(
    random.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n),
    BODY_LENGTH,
  )
  const text = ACCESS_KEY_PREFIX + body
  return text + checksum(text)
}

/** True if the text has the format and the checksum of an access key. The key need not exist. */
export function isAccessKey(text: string): boolean {
  const body = text.slice(0, -CHECKSUM_LENGTH)
  return PATTERN.test(text) && text === body + checksum(body)
}

const checksum = (text: string) => base62(BigInt(crc32(text)), CHECKSUM_LENGTH)

function base62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = DIGITS.charAt(Number(rest % 62n)) + text
  return text
}

/** CRC-32 of ASCII text, as in zip and PNG ([RFC 1952 §8](https://www.rfc-editor.org/rfc/rfc1952#section-8)). */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (const character of text) {
    crc ^= character.charCodeAt(0)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
