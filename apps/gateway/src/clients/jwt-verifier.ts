/** Verifies access tokens of MCP clients: JWTs ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)) of trusted authorization servers. */
import { ClientId, type Scope } from '@nmg/contract'
import { guardedFetches, isLoopback, createSsrfGuard, type GuardedFetch, type Proxies } from '@nmg/outbound'
// Imported by subpath: loading the whole package takes four times as long at each start.
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

/** An access token of a trusted issuer whose signature and claims have been verified. */
export interface VerifiedToken {
  readonly issuer: string
  readonly clientId: string
  /** Claim `grant_id`: the grant (one login) that the token belongs to; undefined if the issuer does not include it. */
  readonly grantId: string | undefined
  readonly userId: string
  /** One space, or the spaces in a claim of a company's identity provider. */
  readonly spaceIds: readonly string[]
  readonly scope: Scope | undefined
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** False once the issuer's keys have changed: the token must then be verified again. Synchronous, and sends no request. */
  isCurrent(): boolean
}

export interface TokenVerifier {
  /**
   * @param resource the URL that the token must have been issued for.
   * @throws {Failure} `unauthenticated`; `authorization_unavailable` if the issuer's keys cannot be fetched.
   */
  verify(token: string, resource: string): Promise<VerifiedToken>
}

/** An authorization server whose access tokens are accepted, and the claims to read from them. */
export interface TrustedIssuer {
  /** Must equal the claim `iss` exactly. */
  readonly issuer: string
  /** Default: `jwks_uri` of the issuer's metadata (RFC 8414, OpenID Connect). */
  readonly jwksUri?: string | undefined
  /** Expected `aud` of issuers that cannot set it to the resource's URL. */
  readonly audience?: string | undefined
  /** Required `typ` header of its access tokens. */
  readonly type: string
  readonly spaceClaim: string
  readonly userClaim: string
  readonly scopeClaim: string
}

/** Asymmetric signatures only. `HS256` would accept the public key as the secret, and `none` is unsigned. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']
/** Tokens expire at this age even if `exp` is later, because revocations are stored for a limited time. */
const MAX_TOKEN_AGE_SECONDS = 24 * 3600

export interface TokenVerifierSettings {
  readonly issuers: readonly TrustedIssuer[]
  readonly clock: Clock
  readonly log: Log
  /** Outbound proxies for requests to the issuers. */
  readonly proxies: Proxies
}

export function jwtVerifier({ issuers, clock, log, proxies }: TokenVerifierSettings): TokenVerifier {
  const trustedIssuers = new Map(
    issuers.map((issuer) => [
      issuer.issuer,
      { issuer, keys: new IssuerKeys(issuer, clock, log, issuerFetch(issuer, proxies)) },
    ]),
  )

  return {
    async verify(token, resource) {
      const trusted = trustedIssuers.get(decodeIssuer(token))
      if (!trusted)
        throw unauthenticated(
          'The access token was issued by an authorization server that this gateway does not trust.',
        )
      const { issuer, keys } = trusted
      const { payload, isCurrent } = await verifySignature(token, issuer, keys, resource, clock)
      return readClaims(payload, issuer, isCurrent)
    },
  }
}

/** The unverified claim `iss`. Only used to choose the keys that verify the token. */
function decodeIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch (cause) {
    throw unauthenticated('The access token is not a JWT that this gateway can read.', cause)
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
  const keySet = await keys.current()
  try {
    return await verify(keySet)
  } catch (error) {
    const newKeySet = error instanceof JWKSNoMatchingKey ? await keys.newerThan(keySet) : undefined
    if (!newKeySet) throw toFailure(error)
    return verify(newKeySet).catch((secondError: unknown) => {
      throw toFailure(secondError)
    })
  }
}

const Identifier = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u)
const ScopeList = z.union([z.array(z.string()), z.string().transform((text) => text.split(' '))])

function readClaims(payload: JWTPayload, issuer: TrustedIssuer, isCurrent: () => boolean): VerifiedToken {
  const userId = Identifier.safeParse(payload[issuer.userClaim])
  const clientId = ClientId.safeParse(payload['client_id'] ?? payload['azp'])
  const spaceIds = z
    .union([z.array(Identifier), Identifier.transform((spaceId) => [spaceId])])
    .safeParse(payload[issuer.spaceClaim])
  const scopes = ScopeList.safeParse(payload[issuer.scopeClaim] ?? [])
  // The verification requires both claims.
  const { iat: issuedAt = 0, exp: expiresAt = 0 } = payload
  if (!userId.success || !clientId.success || !spaceIds.success || !scopes.success) {
    throw unauthenticated('The access token lacks a valid claim for the space, the user or the client.')
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

/** Clients learn that a token has expired or is not valid yet; all other errors get the same general message. */
function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof JWTExpired) return unauthenticated('The access token has expired.', error)
  if (
    error instanceof JWTClaimValidationFailed &&
    ['iat', 'nbf'].includes(error.claim) &&
    error.reason === 'check_failed'
  ) {
    return unauthenticated(
      `The access token is not valid yet. The clock of its authorization server or of the gateway's database is off by more than ${TOKEN_CLOCK_TOLERANCE_SECONDS} seconds. Contact your administrator.`,
      error,
    )
  }
  return unauthenticated('The access token is not valid for this URL.', error)
}

const unauthenticated = (detail: string, cause?: unknown) => new Failure('unauthenticated', detail, { cause })

/** Age at which keys are refreshed in the background. */
const REFRESH_AFTER_MS = 5 * 60_000
/** Age at which keys are refreshed before they are used. */
const STALE_AFTER_MS = 10 * 60_000
/** Age at which keys are no longer used, if the issuer has been unavailable for that long. */
const EXPIRED_AFTER_MS = 24 * 3600_000
/** Minimum interval of refreshes caused by unknown key IDs. Anybody can send tokens with an unknown key ID. */
const UNKNOWN_KEY_INTERVAL_MS = 30_000
/** Pause after a failed refresh. */
const RETRY_DELAY_MS = 5_000
const REQUEST_TIMEOUT_MS = 5_000

type FindKey = ReturnType<typeof createLocalJWKSet>

interface KeySet {
  readonly find: FindKey
  readonly isCurrent: () => boolean
}

/** The public keys of one issuer, cached in memory. Calls wait for a request only if the keys are stale or a key ID is unknown. */
class IssuerKeys {
  readonly #issuer: TrustedIssuer
  readonly #clock: Clock
  readonly #log: Log
  readonly #fetch: GuardedFetch
  #cached: { keySet: KeySet; text: string } | undefined
  #jwksUri: string | undefined
  #fetchedAt = -Infinity
  #failedAt = -Infinity
  #running: Promise<void> | undefined

  constructor(issuer: TrustedIssuer, clock: Clock, log: Log, fetch: GuardedFetch) {
    this.#issuer = issuer
    this.#clock = clock
    this.#log = log
    this.#fetch = fetch
    this.#jwksUri = issuer.jwksUri
  }

  /** @throws {Failure} `authorization_unavailable`. */
  async current(): Promise<KeySet> {
    if (this.#cached && this.#age() < STALE_AFTER_MS) {
      this.#refreshInBackground()
      return this.#cached.keySet
    }
    await this.#refresh()
    if (this.#cached && this.#age() < EXPIRED_AFTER_MS) return this.#cached.keySet
    throw new Failure(
      'authorization_unavailable',
      'The authorization server that issued this access token is not responding. Try again in a moment.',
      { retryAfterSeconds: 5 },
    )
  }

  /** Keys newer than `known`; undefined if there are none. */
  async newerThan(known: KeySet): Promise<KeySet | undefined> {
    if (this.#age() > UNKNOWN_KEY_INTERVAL_MS) await this.#refresh()
    const keySet = this.#cached?.keySet
    return keySet === known ? undefined : keySet
  }

  #now(): number {
    return this.#clock().getTime()
  }

  #age(): number {
    return this.#now() - this.#fetchedAt
  }

  #refreshInBackground(): void {
    if (this.#age() > REFRESH_AFTER_MS) void this.#refresh()
  }

  /** Runs one refresh at a time, with a pause after a failure. Never throws. */
  #refresh(): Promise<void> {
    if (this.#running) return this.#running
    if (this.#now() - this.#failedAt < RETRY_DELAY_MS) return Promise.resolve()
    this.#running = this.#fetchKeys()
      .catch((error: unknown) => {
        this.#failedAt = this.#now()
        // The URL of the keys may have changed: the next refresh reads it from the metadata again.
        this.#jwksUri = this.#issuer.jwksUri
        this.#log.warn('client_tokens.keys_unavailable', { issuer: this.#issuer.issuer, ...describeError(error) })
      })
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async #fetchKeys(): Promise<void> {
    this.#jwksUri ??= await discoverJwksUri(this.#fetch, this.#issuer.issuer)
    const text = await fetchText(this.#fetch, this.#jwksUri)
    const jwks = Jwks.parse(JSON.parse(text))
    this.#fetchedAt = this.#now()
    if (this.#cached?.text === text) return
    const keySet: KeySet = {
      find: createLocalJWKSet(jwks as JSONWebKeySet),
      isCurrent: () => {
        this.#refreshInBackground()
        return this.#cached?.keySet === keySet
      },
    }
    this.#cached = { keySet, text }
  }
}

const Jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })
const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url() })

/** The operator's own URLs may be anywhere. URLs from the issuer's metadata must be public, or loopback if the issuer is. */
function issuerFetch({ issuer, jwksUri }: TrustedIssuer, proxies: Proxies): GuardedFetch {
  const trustedOrigins = [issuer, jwksUri].flatMap((url) => (url === undefined ? [] : [new URL(url).origin]))
  const guard = createSsrfGuard({ alsoAllow: isLoopback(new URL(issuer)) ? ['loopback'] : [], trustedOrigins })
  return guardedFetches(guard, proxies)({ timeoutMs: REQUEST_TIMEOUT_MS })
}

/** Reads `jwks_uri` from the issuer's metadata. */
async function discoverJwksUri(fetch: GuardedFetch, issuer: string): Promise<string> {
  let lastError: unknown
  for (const { url } of issuerMetadataLocations(new URL(issuer))) {
    try {
      const metadata = Metadata.parse(JSON.parse(await fetchText(fetch, url.href)))
      if (metadata.issuer !== issuer) throw new Error('the metadata belongs to another issuer')
      return metadata.jwks_uri
    } catch (error) {
      lastError = error
    }
  }
  throw lastError
}

/** @throws unless the status is 200. */
async function fetchText(fetch: GuardedFetch, url: string): Promise<string> {
  const response = await fetch(url, { headers: { accept: 'application/json' } })
  if (response.status !== 200) throw new Error(`unexpected status ${response.status}`)
  return response.text()
}
