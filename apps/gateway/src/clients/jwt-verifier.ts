/** Access tokens of MCP clients: JWTs ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)) of authorization servers that the operator trusts. */
import { ClientId } from '@nmg/contract'
import { guardedFetches, isLoopback, createSsrfGuard, type GuardedFetch, type Proxies } from '@nmg/outbound'
// From where they are: the package as a whole takes four times as long to load, at every start.
import type { JSONWebKeySet, JWTPayload } from 'jose'
import { JWKSNoMatchingKey, JWTClaimValidationFailed, JWTExpired } from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import { z } from 'zod'
import { TOKEN_CLOCK_TOLERANCE_SECONDS, widestScope } from './access.ts'
import { issuerMetadataLocations } from '../connections/oauth/metadata-locations.ts'
import { Failure } from '../platform/failure.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { Clock } from '../platform/clock.ts'
import type { TokenVerifier, VerifiedToken } from './ports.ts'

/** An authorization server whose access tokens are believed, and where they say what the gateway must know. */
export interface TrustedIssuer {
  /** Exactly as it stands in `iss`. */
  readonly issuer: string
  /** Found in the issuer's metadata (RFC 8414, OpenID Connect) when left out. */
  readonly jwksUri?: string | undefined
  /** For issuers that cannot put the resource's URL into `aud`: what they put there instead. */
  readonly audience?: string | undefined
  /** `typ` of its access tokens. */
  readonly type: string
  readonly spaceClaim: string
  readonly userClaim: string
  readonly scopeClaim: string
}

/** Signatures with a private key only. With `HS256`, whoever knows the public key could sign; `none` needs no key at all. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']
/** No token is good for longer, whatever it says: revocations are kept for little more than that. */
const MAX_TOKEN_AGE_SECONDS = 24 * 3600

export interface TokenVerifierSettings {
  readonly issuers: readonly TrustedIssuer[]
  readonly clock: Clock
  readonly log: Log
  /** What the issuers are asked through. */
  readonly proxies: Proxies
}

export function jwtVerifier({ issuers, clock, log, proxies }: TokenVerifierSettings): TokenVerifier {
  const trusted = new Map(
    issuers.map((issuer) => [
      issuer.issuer,
      { issuer, keys: new IssuerKeys(issuer, clock, log, fetchFor(issuer, proxies)) },
    ]),
  )

  return {
    async verify(token, resource) {
      const known = trusted.get(claimedIssuer(token))
      if (!known) throw refused('The access token is of an authorization server that the gateway does not know.')
      const { issuer, keys } = known
      const { payload, isCurrent } = await verifySignature(token, issuer, keys, resource, clock)
      return read(payload, issuer, isCurrent)
    },
  }
}

/** Who the token says issued it: only good for choosing the keys to check it with. */
function claimedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch (cause) {
    throw refused('The access token is not one that the gateway understands.', cause)
  }
}

async function verifySignature(
  token: string,
  { issuer, audience, type }: TrustedIssuer,
  keys: IssuerKeys,
  resource: string,
  clock: Clock,
): Promise<{ payload: JWTPayload; isCurrent: () => boolean }> {
  const verify = async ({ find, isCurrent }: KeySet) => {
    const { payload } = await jwtVerify(token, find, {
      issuer,
      audience: audience ?? resource,
      typ: type,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'iat'],
      maxTokenAge: MAX_TOKEN_AGE_SECONDS,
      clockTolerance: TOKEN_CLOCK_TOLERANCE_SECONDS,
      currentDate: clock(),
    })
    return { payload, isCurrent }
  }
  const set = await keys.current()
  try {
    return await verify(set)
  } catch (first) {
    const newer = first instanceof JWKSNoMatchingKey ? await keys.newerThan(set) : undefined
    if (!newer) throw reason(first)
    return verify(newer).catch((second: unknown) => {
      throw reason(second)
    })
  }
}

const Identifier = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u)
const Words = z.union([z.array(z.string()), z.string().transform((text) => text.split(' '))])

function read(payload: JWTPayload, issuer: TrustedIssuer, isCurrent: () => boolean): VerifiedToken {
  const userId = Identifier.safeParse(payload[issuer.userClaim])
  const clientId = ClientId.safeParse(payload['client_id'] ?? payload['azp'])
  const spaceIds = z
    .union([z.array(Identifier), Identifier.transform((spaceId) => [spaceId])])
    .safeParse(payload[issuer.spaceClaim])
  const scopes = Words.safeParse(payload[issuer.scopeClaim] ?? [])
  // Both are there: the verification demands them.
  const { iat: issuedAt = 0, exp: expiresAt = 0 } = payload
  if (!userId.success || !clientId.success || !spaceIds.success || !scopes.success) {
    throw refused('The access token does not say for which space, person and client it is.')
  }
  return {
    issuer: issuer.issuer,
    clientId: clientId.data,
    grantId: Identifier.safeParse(payload['grant_id']).data,
    userId: userId.data,
    spaceIds: spaceIds.data,
    scope: widestScope(scopes.data),
    issuedAt: new Date(issuedAt * 1000),
    expiresAt: new Date(Math.min(expiresAt, issuedAt + MAX_TOKEN_AGE_SECONDS) * 1000),
    isCurrent,
  }
}

/** Whoever presents a token learns that it is over, so that it gets another; for everything else, that it does not count here. */
function reason(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof JWTExpired) return refused('The access token has expired.', error)
  if (
    error instanceof JWTClaimValidationFailed &&
    ['iat', 'nbf'].includes(error.claim) &&
    error.reason === 'check_failed'
  ) {
    return refused(
      `The access token begins in the future. The clock of its authorization server, or of the gateway's database, is wrong by more than ${TOKEN_CLOCK_TOLERANCE_SECONDS} seconds. Tell the operator.`,
      error,
    )
  }
  return refused('The access token is not good for this address.', error)
}

const refused = (detail: string, cause?: unknown) => new Failure('unauthenticated', detail, { cause })

/** Keys of this age are renewed on the side. */
const RENEW_AFTER_MS = 5 * 60_000
/** Keys of this age are renewed before they are used. */
const STALE_AFTER_MS = 10 * 60_000
/** Keys of this age count no more, should the issuer be away for that long. */
const DEAD_AFTER_MS = 24 * 3600_000
/** An unknown key makes the gateway look again no more often than this. Everybody can send tokens that name one. */
const LOCK_POLL_MS = 30_000
/** After a failure, the issuer is left alone for that long. */
const PAUSE_MS = 5_000
const REQUEST_TIMEOUT_MS = 5_000

type FindKey = ReturnType<typeof createLocalJWKSet>

interface KeySet {
  readonly find: FindKey
  readonly isCurrent: () => boolean
}

/** The public keys of one issuer, in memory. Only a key that is not among them is worth waiting for a request. */
class IssuerKeys {
  readonly #issuer: TrustedIssuer
  readonly #clock: Clock
  readonly #log: Log
  readonly #fetch: GuardedFetch
  #set: { keys: KeySet; text: string } | undefined
  #jwksUri: string | undefined
  #fetchedAt = -Infinity
  #triedAt = -Infinity
  #renewal: Promise<void> | undefined

  constructor(issuer: TrustedIssuer, clock: Clock, log: Log, fetch: GuardedFetch) {
    this.#issuer = issuer
    this.#clock = clock
    this.#log = log
    this.#fetch = fetch
    this.#jwksUri = issuer.jwksUri
  }

  /** @throws {Failure} `authorization_unavailable`. */
  async current(): Promise<KeySet> {
    if (this.#set && this.#age() < STALE_AFTER_MS) {
      this.#renewInTime()
      return this.#set.keys
    }
    await this.#renew()
    if (this.#set && this.#age() < DEAD_AFTER_MS) return this.#set.keys
    throw new Failure(
      'authorization_unavailable',
      'The authorization server that issued this access token does not answer. Try again in a moment.',
      { retryAfterSeconds: 5 },
    )
  }

  /** Keys that came after `known`; undefined when there are none. */
  async newerThan(known: KeySet): Promise<KeySet | undefined> {
    if (this.#age() > LOCK_POLL_MS) await this.#renew()
    return this.#set?.keys === known ? undefined : this.#set?.keys
  }

  #now(): number {
    return this.#clock().getTime()
  }

  #age(): number {
    return this.#now() - this.#fetchedAt
  }

  #renewInTime(): void {
    if (this.#age() > RENEW_AFTER_MS) void this.#renew()
  }

  /** One at a time, and after a failure not at once. Never throws. */
  #renew(): Promise<void> {
    if (this.#renewal) return this.#renewal
    if (this.#now() - this.#triedAt < PAUSE_MS) return Promise.resolve()
    this.#renewal = this.#read()
      .catch((error: unknown) => {
        this.#triedAt = this.#now()
        // Its address may have changed; it is asked for again.
        this.#jwksUri = this.#issuer.jwksUri
        this.#log.warn('client_tokens.keys_unavailable', { issuer: this.#issuer.issuer, ...describeError(error) })
      })
      .finally(() => {
        this.#renewal = undefined
      })
    return this.#renewal
  }

  async #read(): Promise<void> {
    this.#jwksUri ??= await jwksUriOf(this.#fetch, this.#issuer.issuer)
    const text = await get(this.#fetch, this.#jwksUri)
    const jwks = Jwks.parse(JSON.parse(text))
    this.#fetchedAt = this.#now()
    if (this.#set?.text === text) return
    const keys: KeySet = {
      find: createLocalJWKSet(jwks as JSONWebKeySet),
      isCurrent: () => {
        this.#renewInTime()
        return this.#set?.keys === keys
      },
    }
    this.#set = { keys, text }
  }
}

const Jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })
const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url() })

/** The operator has named the issuer, wherever it is; what that names is on the Internet, or on this machine if the issuer is. */
function fetchFor({ issuer, jwksUri }: TrustedIssuer, proxies: Proxies): GuardedFetch {
  const trustedOrigins = [issuer, jwksUri].flatMap((url) => (url === undefined ? [] : [new URL(url).origin]))
  const guard = createSsrfGuard({ alsoAllow: isLoopback(new URL(issuer)) ? ['loopback'] : [], trustedOrigins })
  return guardedFetches(guard, proxies)({ timeoutMs: REQUEST_TIMEOUT_MS })
}

/** Where the keys are, as the issuer itself says. */
async function jwksUriOf(fetch: GuardedFetch, issuer: string): Promise<string> {
  let failure: unknown
  for (const { url } of issuerMetadataLocations(new URL(issuer))) {
    try {
      const metadata = Metadata.parse(JSON.parse(await get(fetch, url.href)))
      if (metadata.issuer !== issuer) throw new Error('the metadata is of another issuer')
      return metadata.jwks_uri
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** @throws unless it is there. */
async function get(fetch: GuardedFetch, address: string): Promise<string> {
  const response = await fetch(address, { headers: { accept: 'application/json' } })
  if (response.status !== 200) throw new Error(`the status is ${response.status}`)
  return response.text()
}
