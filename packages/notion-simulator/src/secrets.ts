import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Generates `length` characters of `[A-Za-z0-9_-]`, with 6 random bits each. */
export function randomString(length: number): string {
  return [...randomBytes(length)].map((byte) => ALPHABET[byte & 63]).join('')
}

/** Generates a token in Notion's format: `{user id}:{grant id, 16}:{secret, 32}`. */
export function newToken(userId: string, grantId: string): string {
  return `${userId}:${grantId}:${randomString(32)}`
}

/** SHA-256 in hex. The grant store contains only hashes of tokens. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Compares two strings in constant time. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(a)), Buffer.from(hashSecret(b)))
}

/**
 * A secret that the simulator issued or received. Tests search their stores and logs for all of them: none may appear in plain text.
 */
export type IssuedSecret = {
  kind: 'access_token' | 'refresh_token' | 'code' | 'client_secret' | 'personal_access_token' | 'code_verifier'
  value: string
  clientId?: string
  grantId?: string
  /** The rotation that issued it; 0 is the code exchange. */
  generation?: number
}

/** All issued secrets and received PKCE verifiers, oldest first. */
export type IssuedSecrets = {
  add(secret: IssuedSecret): string
  all(): readonly IssuedSecret[]
  clear(): void
}

export function createIssuedSecrets(): IssuedSecrets {
  const secrets: IssuedSecret[] = []
  return {
    add(secret) {
      secrets.push(secret)
      return secret.value
    },
    all: () => secrets,
    clear: () => {
      secrets.length = 0
    },
  }
}
