/**
 * The text of an access key: `nmg_`, 32 random bytes in base 62, and a checksum over both. Letters and digits only, so that a double click
 * takes the whole of it; `nmg_[0-9A-Za-z]{49}` finds it in source code, and the checksum tells a key from what merely looks like one.
 */

export const ACCESS_KEY_PREFIX = 'nmg_'
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** What 256 bits take in base 62, and what 32 bits take. */
const BODY_LENGTH = 43
const CHECKSUM_LENGTH = 6
const FORM = new RegExp(`^${ACCESS_KEY_PREFIX}[0-9A-Za-z]{${BODY_LENGTH + CHECKSUM_LENGTH}}$`)

/** @param random 32 bytes that nobody can guess. */
export function accessKey(random: Uint8Array): string {
  const body = base62(
    random.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n),
    BODY_LENGTH,
  )
  const text = ACCESS_KEY_PREFIX + body
  return text + checksum(text)
}

/** Whether it can be a key at all. Says nothing about whether there is such a key. */
export function isAccessKey(text: string): boolean {
  const body = text.slice(0, -CHECKSUM_LENGTH)
  return FORM.test(text) && text === body + checksum(body)
}

const checksum = (text: string) => base62(BigInt(crc32(text)), CHECKSUM_LENGTH)

function base62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = DIGITS.charAt(Number(rest % 62n)) + text
  return text
}

/** As in zip and PNG ([RFC 1952 §8](https://www.rfc-editor.org/rfc/rfc1952#section-8)), of ASCII text. */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (const character of text) {
    crc ^= character.charCodeAt(0)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
