import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import { BoundedMap } from '../platform/bounded-map.ts'
import { Failure } from '../platform/failure.ts'
import { Semaphore } from '../platform/semaphore.ts'
import { ACCESS_KEY_PREFIX, type AccessKeyStore, isAccessKey } from './access-key.ts'
import { type ClientAccess, type ClientCredential, TOKEN_CLOCK_TOLERANCE_SECONDS } from './access.ts'
import type { TokenVerifier } from './jwt-verifier.ts'
import type { RevocationNotices } from './revocation-notices.ts'
import { type AccessRevocation, isRevokedBy, type RevocationStore } from './revocations.ts'

export interface AuthenticatorDependencies {
  readonly clock: Clock
  readonly keys: AccessKeyStore
  readonly revocations: RevocationStore
  readonly tokens: TokenVerifier
  readonly notices: RevocationNotices
}

/** Credentials of a request: an access key or an access token, and the endpoint that it was sent to. */
export interface Credentials {
  readonly text: string
  /** SHA-256 of the text. Caches hold this instead of the text. */
  readonly digest: Buffer
  /** The URL that a token must have been issued for. */
  readonly resource: string
  /** The space in the path or in a header; undefined if the credential itself must name it. */
  readonly spaceId: string | undefined
}

declare const verified: unique symbol

/** Access of an authenticated client. Only {@link Authenticator} creates one. */
export type Principal = ClientAccess & { readonly [verified]: true }

export interface Authenticator {
  /**
   * Authenticates a key or a token. Returns synchronously if the credential is in the cache.
   *
   * @throws {Failure} `unauthenticated`, `forbidden_space`, `missing_space`, `insufficient_scope`, `authorization_unavailable`,
   * `store_unavailable`, `overloaded`.
   */
  authenticate(credentials: Credentials): Principal | Promise<Principal>
  /** Reads from the database whether the access has been revoked. For open exchanges, after notifications may have been missed. */
  isRevoked(access: ClientAccess): Promise<boolean>
}

/** Limit of cached credentials. A credential that was evicted is checked again. */
const MAX_CACHED = 20_000
/** Concurrent checks of tokens. A check may have to wait for the token's issuer. */
const MAX_CONCURRENT_CHECKS = 8
const MAX_QUEUED_CHECKS = 500
const TOO_MANY_CHECKS = 'Too many clients are authenticating at once. Try again in a moment.'

/** A credential that was checked. */
interface CheckedCredential {
  readonly userId: string
  readonly spaceIds: readonly string[]
  readonly scope: ClientAccess['scope'] | undefined
  readonly credential: ClientCredential
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
  readonly isCurrent: () => boolean
  isRevoked: boolean
}

/**
 * Checks keys and tokens, and caches the results, so that most calls cost a hash and a look-up. Notifications of revocations from all
 * replicas invalidate the cache; while notifications are interrupted, the cache is not used.
 */
export function authenticator(deps: AuthenticatorDependencies): Authenticator {
  const { clock, keys, revocations, tokens, notices } = deps
  const cache = new BoundedMap<string, CheckedCredential>(MAX_CACHED)
  const runningChecks = new Map<string, Promise<CheckedCredential>>()
  // Not for keys: anybody can send keys that do not exist, and valid keys must not queue behind them. The store batches look-ups of keys.
  const tokenChecks = new Semaphore(MAX_CONCURRENT_CHECKS, MAX_QUEUED_CHECKS, TOO_MANY_CHECKS)
  /** Incremented by each revocation: data that was read before may be outdated. */
  let epoch = 0

  notices.onRevoked((revocation) => {
    epoch++
    for (const [cacheKey, checked] of cache) {
      if (!isAffectedBy(checked, revocation)) continue
      // A token for several spaces may still be valid for the others, so it is checked again.
      if (checked.spaceIds.length > 1) cache.delete(cacheKey)
      else checked.isRevoked = true
    }
  })
  notices.onGap(() => {
    epoch++
    cache.clear()
  })

  const checkKey = async (digest: Buffer): Promise<CheckedCredential> => {
    const key = await keys.find(digest)
    if (!key || !timingSafeEqual(key.hash, digest))
      throw unauthenticated("This key does not exist or was deleted. Create a new one on the space's Clients page.")
    return {
      userId: key.userId,
      spaceIds: [key.spaceId],
      scope: key.scope,
      credential: { kind: 'key', keyId: key.id },
      expiresAtMs: key.expiresAt?.getTime() ?? Infinity,
      isCurrent: () => true,
      isRevoked: false,
    }
  }

  const checkToken = async (token: string, resource: string): Promise<CheckedCredential> => {
    const { issuer, clientId, grantId, userId, spaceIds, scope, issuedAt, expiresAt, isCurrent } = await tokens.verify(
      token,
      resource,
    )
    const revoked = await revocations.find(spaceIds, userId, { clientId, grantId })
    const isRevokedIn = (spaceId: string) =>
      revoked.some((revocation) => revocation.spaceId === spaceId && !isIssuedAfter(issuedAt, revocation.at))
    return {
      userId,
      spaceIds: spaceIds.filter((spaceId) => !isRevokedIn(spaceId)),
      scope,
      credential: { kind: 'token', issuer, clientId, grantId, issuedAt },
      expiresAtMs: expiresAt.getTime() + TOKEN_CLOCK_TOLERANCE_SECONDS * 1000,
      isCurrent,
      isRevoked: spaceIds.length > 0 && spaceIds.every(isRevokedIn),
    }
  }

  const check = async (cacheKey: string, { text, digest, resource }: Credentials): Promise<CheckedCredential> => {
    for (;;) {
      const epochBefore = epoch
      const checked = isKey(text) ? await checkKey(digest) : await checkToken(text, resource)
      // Access was revoked in the meantime, and the data may have been read before that.
      if (epoch !== epochBefore) continue
      if (notices.isConnected()) cache.set(cacheKey, checked)
      return checked
    }
  }

  const toPrincipal = (checked: CheckedCredential, requestedSpaceId: string | undefined): Principal => {
    if (checked.isRevoked) throw accessRevoked()
    if (clock().getTime() >= checked.expiresAtMs)
      throw unauthenticated('This access has expired. Log in again from your client, or create a new key for it.')
    const [firstSpaceId, ...otherSpaceIds] = checked.spaceIds
    const spaceId = requestedSpaceId ?? (otherSpaceIds.length === 0 ? firstSpaceId : undefined)
    if (spaceId === undefined) {
      throw new Failure(
        'missing_space',
        'Missing space_id. This access covers several spaces. Name one in the X-Space-ID header.',
      )
    }
    if (!checked.spaceIds.includes(spaceId))
      throw new Failure(
        'forbidden_space',
        'This access is for another space. Use the URL from the Clients page of that space, or log in again for this one.',
      )
    if (checked.scope === undefined) {
      throw new Failure(
        'insufficient_scope',
        'This access needs the scope notion:read or notion:write. It has neither.',
      )
    }
    return { spaceId, userId: checked.userId, scope: checked.scope, credential: checked.credential } as Principal
  }

  return {
    authenticate(credentials) {
      // A token is valid only for the URLs in its audience, so its cache key includes the resource.
      const { text, digest, resource, spaceId } = credentials
      const cacheKey = digest.toString('base64') + (isKey(text) ? '' : resource)
      const cached = notices.isConnected() ? cache.get(cacheKey) : undefined
      if (cached) {
        if (cached.isCurrent()) return toPrincipal(cached, spaceId)
        cache.delete(cacheKey)
      }
      if (isKey(text) ? !isAccessKey(text) : !isJwt(text)) {
        throw unauthenticated('This is not a valid access key or access token.')
      }
      let running = runningChecks.get(cacheKey)
      if (!running) {
        const work = () => check(cacheKey, credentials)
        running = (isKey(text) ? work() : tokenChecks.run(work)).finally(() => runningChecks.delete(cacheKey))
        runningChecks.set(cacheKey, running)
      }
      return running.then((checked) => toPrincipal(checked, spaceId))
    },

    async isRevoked({ spaceId, userId, credential }) {
      if (credential.kind === 'key') return !(await keys.exists(credential.keyId))
      const revoked = await revocations.find([spaceId], userId, credential)
      return revoked.some(({ at }) => !isIssuedAfter(credential.issuedAt, at))
    },
  }
}

/** `iat` has a resolution of one second. A token issued in the second of the revocation counts as issued before it. */
const isIssuedAfter = (issuedAt: Date, revokedAt: Date) =>
  Math.floor(issuedAt.getTime() / 1000) > Math.floor(revokedAt.getTime() / 1000)

/** Ignores `issuedAt`: a cached token was received before the revocation, even if its issuer's clock is ahead. */
function isAffectedBy({ userId, spaceIds, credential }: CheckedCredential, revocation: AccessRevocation): boolean {
  return spaceIds.some((spaceId) => isRevokedBy({ spaceId, userId, credential }, revocation))
}

const isKey = (text: string) => text.startsWith(ACCESS_KEY_PREFIX)
const isJwt = (text: string) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)

const unauthenticated = (detail: string) => new Failure('unauthenticated', detail)

/** The failure of requests with revoked access, and of open exchanges whose access is revoked. */
export const accessRevoked = (): Failure =>
  unauthenticated('This access was revoked. Log in again from your client, or create a new key for it.')
