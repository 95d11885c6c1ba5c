import { MINUTE, SECOND, type SimulatorClock } from '../clock.ts'
import type { Options } from '../options.ts'
import { hashSecret, newToken, randomString, type IssuedSecrets } from '../secrets.ts'
import type { TokenStatus } from '../recorded-requests.ts'

export const CODE_TTL_MS = 10 * MINUTE

type RefreshToken = { hash: string; generation: number }

/** The refresh tokens that are valid from `at` on. */
type Rotation = { at: number; current: RefreshToken; previous?: RefreshToken }

export type CodeChallenge = { challenge: string; method: 'plain' | 'S256' }

/** One consent: a client acting for a user in one workspace. */
export type Grant = {
  id: string
  userId: string
  workspaceId: string
  clientId: string
  scope: string
  /** RFC 8707 resources of the authorization request. */
  resources: string[]
  redirectUri: string
  /** Milliseconds since the epoch, like all times here. */
  createdAt: number
  lastRefreshedAt: number
  code: { hash: string; expiresAt: number; used: boolean; pkce?: CodeChallenge }
  /** Oldest first; empty until the code is exchanged. */
  rotations: Rotation[]
  /** When a refresh token was first used, i.e. replaced by a newer one, by generation. */
  rotatedOutAt: Map<number, number>
  /** Refresh tokens before the previous one, by hash. */
  retired: Map<string, { generation: number; at: number }>
  nextGeneration: number
  revoked?: { at: number; because: string }
}

export type AccessToken = {
  grantId: string
  userId: string
  generation: number
  issuedAt: number
  expiresAt: number
  /** The resources that accept it; empty: not bound to a resource. */
  audience: string[]
  revokedAt?: number
}

export type IssuedTokens = {
  accessToken: string
  refreshToken: string
  expiresInSeconds: number
  /** Absent for invalid tokens. */
  generation?: number
}

export type NewGrant = Pick<Grant, 'userId' | 'workspaceId' | 'clientId' | 'scope' | 'resources' | 'redirectUri'> & {
  pkce?: CodeChallenge
}

export type GrantFilter = { grantId?: string; userId?: string; workspaceId?: string; clientId?: string }

/** The grants and their tokens, with lifetimes and rotation. */
export type Grants = {
  create(request: NewGrant): { grant: Grant; code: string }
  find(userId: string, grantId: string): Grant | undefined
  all(): Grant[]
  /** Issues the next pair of tokens. The presented refresh token, if any, becomes the previous one. */
  issue(grant: Grant, audience: string[], presented?: RefreshToken): IssuedTokens
  /** Returns well-formed tokens that are not stored, and so invalid. */
  issueInvalid(grant: Grant): IssuedTokens
  /** The status of a refresh token in the storage, which may lag. */
  tokenStatus(grant: Grant, token: string): { status: TokenStatus; generation: number | null; since?: number }
  findAccessToken(token: string): AccessToken | undefined
  revokeAccessToken(token: AccessToken): void
  revoke(grant: Grant, because: string): void
  /** Expires the access tokens of these grants. */
  expireAccessTokens(filter?: GrantFilter): number
  /** When the grant expires. */
  endsAt(grant: Grant): number
  clear(): void
}

export function matches(grant: Grant, filter: GrantFilter = {}): boolean {
  return (
    (filter.grantId === undefined || grant.id === filter.grantId) &&
    (filter.userId === undefined || grant.userId === filter.userId) &&
    (filter.workspaceId === undefined || grant.workspaceId === filter.workspaceId) &&
    (filter.clientId === undefined || grant.clientId === filter.clientId)
  )
}

export function grantStore(clock: SimulatorClock, options: Options, issuedSecrets: IssuedSecrets): Grants {
  const grants = new Map<string, Grant>()
  const accessTokens = new Map<string, AccessToken>()

  const tokensOf = (grant: Grant) => [...accessTokens.values()].filter((token) => token.grantId === grant.id)

  /** With a lag, only rotations that are old enough are visible; the first one always is. */
  const visibleRotation = (grant: Grant): Rotation | undefined => {
    const visibleUntil = clock.now() - options.kvLagMs
    return grant.rotations.findLast((rotation, index) => index === 0 || rotation.at <= visibleUntil)
  }

  const endsAt = (grant: Grant) =>
    Math.min(
      grant.createdAt + options.grantTtlSeconds * SECOND,
      grant.lastRefreshedAt + options.idleTtlSeconds * SECOND,
    )

  const accessLifeOf = (grant: Grant) => {
    const grantLeftMs = grant.createdAt + options.grantTtlSeconds * SECOND - clock.now()
    return Math.max(1, Math.min(options.accessTtlSeconds, Math.floor(grantLeftMs / SECOND)))
  }

  return {
    endsAt,

    create({ pkce, ...request }) {
      const now = clock.now()
      const id = randomString(16)
      const code = issuedSecrets.add({
        kind: 'code',
        value: newToken(request.userId, id),
        clientId: request.clientId,
        grantId: id,
      })
      const grant: Grant = {
        ...request,
        id,
        createdAt: now,
        lastRefreshedAt: now,
        code: { hash: hashSecret(code), expiresAt: now + CODE_TTL_MS, used: false, ...(pkce && { pkce }) },
        rotations: [],
        rotatedOutAt: new Map(),
        retired: new Map(),
        nextGeneration: 0,
      }
      grants.set(id, grant)
      return { grant, code }
    },

    find(userId, grantId) {
      const grant = grants.get(grantId)
      return grant?.userId === userId ? grant : undefined
    },

    all: () => [...grants.values()],

    issue(grant, audience, presented) {
      const now = clock.now()
      const generation = grant.nextGeneration++
      const origin = { clientId: grant.clientId, grantId: grant.id, generation }
      const accessToken = issuedSecrets.add({
        kind: 'access_token',
        value: newToken(grant.userId, grant.id),
        ...origin,
      })
      const refreshToken = issuedSecrets.add({
        kind: 'refresh_token',
        value: newToken(grant.userId, grant.id),
        ...origin,
      })

      if (presented) {
        const before = grant.rotations.at(-1)
        for (const token of [before?.current, before?.previous]) {
          if (token && token.hash !== presented.hash) {
            grant.retired.set(token.hash, { generation: token.generation, at: now })
          }
        }
        // With stale storage, a retired token may be accepted.
        grant.retired.delete(presented.hash)
        if (!grant.rotatedOutAt.has(presented.generation)) grant.rotatedOutAt.set(presented.generation, now)
        if (options.revokeAccessOnRefresh) {
          for (const token of tokensOf(grant)) token.revokedAt ??= now
        }
      }
      grant.rotations.push({
        at: now,
        current: { hash: hashSecret(refreshToken), generation },
        ...(presented && { previous: presented }),
      })
      grant.lastRefreshedAt = now

      const expiresInSeconds = accessLifeOf(grant)
      accessTokens.set(hashSecret(accessToken), {
        grantId: grant.id,
        userId: grant.userId,
        generation,
        issuedAt: now,
        expiresAt: now + expiresInSeconds * SECOND,
        audience,
      })
      return { accessToken, refreshToken, expiresInSeconds, generation }
    },

    issueInvalid: (grant) => ({
      accessToken: newToken(grant.userId, grant.id),
      refreshToken: newToken(grant.userId, grant.id),
      expiresInSeconds: accessLifeOf(grant),
    }),

    tokenStatus(grant, token) {
      const hash = hashSecret(token)
      const rotation = visibleRotation(grant)
      if (rotation?.current.hash === hash) return { status: 'current', generation: rotation.current.generation }
      if (rotation?.previous?.hash === hash) {
        const since = grant.rotatedOutAt.get(rotation.previous.generation)
        return { status: 'previous', generation: rotation.previous.generation, ...(since !== undefined && { since }) }
      }
      const retired = grant.retired.get(hash)
      if (retired) return { status: 'retired', generation: retired.generation, since: retired.at }
      return { status: 'unknown', generation: null }
    },

    findAccessToken: (token) => accessTokens.get(hashSecret(token)),

    revokeAccessToken(token) {
      token.revokedAt ??= clock.now()
    },

    revoke(grant, because) {
      const now = clock.now()
      grant.revoked ??= { at: now, because }
      for (const token of tokensOf(grant)) token.revokedAt ??= now
    },

    expireAccessTokens(filter) {
      const now = clock.now()
      let expired = 0
      for (const token of accessTokens.values()) {
        const grant = grants.get(token.grantId)
        if (!grant || !matches(grant, filter) || token.revokedAt !== undefined || token.expiresAt <= now) continue
        token.expiresAt = now
        expired++
      }
      return expired
    },

    clear() {
      grants.clear()
      accessTokens.clear()
    },
  }
}
