import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** `length` characters of `[A-Za-z0-9_-]`, 6 random bits each. */
export function randomString(length: number): string {
  return [...randomBytes(length)].map((byte) => ALPHABET[byte & 63]).join('')
}

/** Token shape observed at Notion: `{user id}:{grant id, 16}:{secret, 32}`. */
export function newToken(userId: string, grantId: string): string {
  return `${userId}:${grantId}:${randomString(32)}`
}

/** SHA-256 in hex: all that the grant store keeps of a token. */
export function hashed(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Compares two strings in a time that does not depend on where they differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashed(a)), Buffer.from(hashed(b)))
}

/**
 * A secret that passed through the simulator. A test collects all of them and searches its own store and logs:
 * none may turn up there in the clear.
 */
export type IssuedSecret = {
  kind: 'access_token' | 'refresh_token' | 'code' | 'client_secret' | 'personal_access_token' | 'code_verifier'
  value: string
  clientId?: string
  grantId?: string
  /** Which rotation made it; 0 is the code exchange. */
  generation?: number
}

/** Everything secret that was ever issued (and the PKCE verifiers that clients sent), oldest first. */
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
