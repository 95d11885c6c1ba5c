import { timingSafeEqual } from 'node:crypto'
import { ACCESS_KEY_PREFIX, isAccessKey } from './access-key.ts'
import {
  type ClientAccess,
  type ClientCredential,
  isEndedBy,
  type Revoked,
  TOKEN_CLOCK_TOLERANCE_SECONDS,
} from './access.ts'
import { Failure } from '../platform/failure.ts'
import type { AccessKeyStore, Revocations, TokenVerifier } from './ports.ts'
import type { RevocationNotices } from './revocation-notices.ts'
import type { Clock } from '../platform/clock.ts'

export interface AuthenticatorDependencies {
  readonly clock: Clock
  readonly keys: AccessKeyStore
  readonly revocations: Revocations
  readonly tokens: TokenVerifier
  readonly news: RevocationNotices
}

/** What a client presents, and where. */
export interface Credentials {
  readonly text: string
  /** SHA-256 of the text: what is kept in memory of it. */
  readonly digest: Buffer
  /** The URL that a token must have been issued for. */
  readonly resource: string
  /** The space that the address or a header names; without one, the credential must say which. */
  readonly spaceId: string | undefined
}

declare const verified: unique symbol

/** Access that was proved. Only {@link Authenticator} makes one. */
export type Principal = ClientAccess & { readonly [verified]: true }

export interface Authenticator {
  /**
   * Answers synchronously for a credential that was checked before. Token or key: to whoever calls, the two are one.
   *
   * @throws {Failure} `unauthenticated`, `forbidden_space`, `insufficient_scope`, `authorization_unavailable`, `store_unavailable`, `overloaded`.
   */
  prove(presented: Credentials): Principal | Promise<Principal>
  /** Whether proved access has been ended since. For what stays open while news of it could be missed. */
  isRevoked(access: ClientAccess): Promise<boolean>
}

/** How many credentials are kept in memory. One that fell out costs a check. */
const REMEMBERED = 20_000
/** Checks of tokens that may be under way at once: a check may have to wait for the token's issuer. */
const CHECKS_AT_ONCE = 8
const CHECKS_WAITING = 500

/** A credential that was checked. */
interface Known {
  readonly userId: string
  readonly spaceIds: readonly string[]
  readonly scope: ClientAccess['scope'] | undefined
  readonly credential: ClientCredential
  /** Milliseconds since 1970. */
  readonly usableUntil: number
  readonly isCurrent: () => boolean
  isRevoked: boolean
}

/**
 * Checks keys and tokens, and remembers the outcome, so that a call costs a hash and a look-up. What is remembered goes by what all
 * replicas say of revocations; while they cannot be heard, each call is checked anew.
 */
export function authenticator(deps: AuthenticatorDependencies): Authenticator {
  const { clock, keys, revocations, tokens, news } = deps
  const known = new Map<string, Known>()
  const checking = new Map<string, Promise<Known>>()
  // Not for keys: everybody can present keys that do not exist, and genuine ones must not queue behind them. The store looks many up at once.
  const tokenTurns = new Turns(CHECKS_AT_ONCE, CHECKS_WAITING)
  /** Moves on with each revocation: what was read before one may be wrong after it. */
  let epoch = 0

  news.onRevoked((revoked) => {
    epoch++
    for (const [name, one] of known) {
      if (!isRevokedBy(one, revoked)) continue
      // What is good for other spaces still must be looked at again.
      if (one.spaceIds.length > 1) known.delete(name)
      else one.isRevoked = true
    }
  })
  news.onGap(() => {
    epoch++
    known.clear()
  })

  const readKey = async (digest: Buffer): Promise<Known> => {
    const key = await keys.find(digest)
    if (!key || !timingSafeEqual(key.hash, digest))
      throw refused('There is no such key, or it was deleted. Make another on the page “Clients” of the space.')
    return {
      userId: key.userId,
      spaceIds: [key.spaceId],
      scope: key.scope,
      credential: { kind: 'key', keyId: key.id },
      usableUntil: key.expiresAt?.getTime() ?? Infinity,
      isCurrent: () => true,
      isRevoked: false,
    }
  }

  const readToken = async (token: string, resource: string): Promise<Known> => {
    const { issuer, clientId, grantId, userId, spaceIds, scope, issuedAt, expiresAt, isCurrent } = await tokens.verify(
      token,
      resource,
    )
    const revoked = await revocations.of(spaceIds, userId, { clientId, grantId })
    const isOver = (spaceId: string) => revoked.some((one) => one.spaceId === spaceId && !isAfter(issuedAt, one.at))
    return {
      userId,
      spaceIds: spaceIds.filter((spaceId) => !isOver(spaceId)),
      scope,
      credential: { kind: 'token', issuer, clientId, grantId, issuedAt },
      usableUntil: expiresAt.getTime() + TOKEN_CLOCK_TOLERANCE_SECONDS * 1000,
      isCurrent,
      isRevoked: spaceIds.length > 0 && spaceIds.every(isOver),
    }
  }

  const check = async (name: string, { text, digest, resource }: Credentials): Promise<Known> => {
    for (;;) {
      const begun = epoch
      const one = isKey(text) ? await readKey(digest) : await readToken(text, resource)
      // Something was revoked meanwhile; what was read may be from before.
      if (epoch !== begun) continue
      if (news.isConnected()) remember(name, one)
      return one
    }
  }

  const remember = (name: string, one: Known) => {
    known.set(name, one)
    if (known.size > REMEMBERED) known.delete(known.keys().next().value as string)
  }

  const use = (one: Known, wanted: string | undefined): Principal => {
    if (one.isRevoked) throw accessRevoked()
    if (clock().getTime() >= one.usableUntil)
      throw refused('This access has expired. Log in again from the client, or give it another key.')
    const [only, ...others] = one.spaceIds
    const spaceId = wanted ?? (others.length === 0 ? only : undefined)
    if (spaceId === undefined) {
      throw new Failure(
        'missing_space',
        'Missing space_id. This access is good for several spaces; name one in X-Space-ID.',
      )
    }
    if (!one.spaceIds.includes(spaceId))
      throw new Failure(
        'forbidden_space',
        'This access is not for this space. Take the address from the page “Clients” of its own space, or log in again.',
      )
    if (one.scope === undefined) {
      throw new Failure('insufficient_scope', 'This access has neither the scope notion:read nor notion:write.')
    }
    return { spaceId, userId: one.userId, scope: one.scope, credential: one.credential } as Principal
  }

  return {
    prove(presented) {
      // A token is good for the addresses in it, so where it was presented belongs to what was found out.
      const { text, digest, resource } = presented
      const name = digest.toString('base64') + (isKey(text) ? '' : resource)
      const one = news.isConnected() ? known.get(name) : undefined
      if (one) {
        if (one.isCurrent()) return use(one, presented.spaceId)
        known.delete(name)
      }
      if (isKey(text) ? !isAccessKey(text) : !isJwt(text)) {
        throw refused('This is neither a key nor an access token that the gateway can check.')
      }
      let checked = checking.get(name)
      if (!checked) {
        const work = () => check(name, presented)
        checked = (isKey(text) ? work() : tokenTurns.take(work)).finally(() => checking.delete(name))
        checking.set(name, checked)
      }
      return checked.then((found) => use(found, presented.spaceId))
    },

    async isRevoked({ spaceId, userId, credential }) {
      if (credential.kind === 'key') return !(await keys.exists(credential.keyId))
      const revoked = await revocations.of([spaceId], userId, credential)
      return revoked.some(({ at }) => !isAfter(credential.issuedAt, at))
    },
  }
}

/** Tokens say to the second when they were issued. One of the very second of a revocation counts as issued before. */
const isAfter = (issuedAt: Date, revokedAt: Date) =>
  Math.floor(issuedAt.getTime() / 1000) > Math.floor(revokedAt.getTime() / 1000)

/** Whatever the clocks say: a token that was seen before the revocation is over. */
function isRevokedBy({ userId, spaceIds, credential }: Known, revoked: Revoked): boolean {
  return spaceIds.some((spaceId) => isEndedBy({ spaceId, userId, scope: 'notion:read', credential }, revoked))
}

const isKey = (text: string) => text.startsWith(ACCESS_KEY_PREFIX)
const isJwt = (text: string) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)

const refused = (detail: string) => new Failure('unauthenticated', detail)

/** For who presents access that was ended, and for what is open with it. */
export const accessRevoked = (): Failure =>
  refused('This access was revoked. Log in again from the client, or give it another key.')

/** Lets so many do something at once; others wait in line, and those for whom the line is too long are refused. */
class Turns {
  readonly #atOnce: number
  readonly #longestLine: number
  readonly #line: (() => void)[] = []
  #busy = 0

  constructor(atOnce: number, longestLine: number) {
    this.#atOnce = atOnce
    this.#longestLine = longestLine
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#atOnce) {
      if (this.#line.length >= this.#longestLine) {
        throw new Failure('overloaded', 'Too many callers prove who they are at once. Try again in a moment.', {
          retryAfterSeconds: 1,
        })
      }
      await new Promise<void>((resolve) => this.#line.push(resolve))
    } else {
      this.#busy++
    }
    try {
      return await work()
    } finally {
      const next = this.#line.shift()
      if (next) next()
      else this.#busy--
    }
  }
}
