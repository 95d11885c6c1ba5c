/**
 * The current endpoints of a grant. The stored grant is never edited, as its endpoints are authenticated by the encryption of its credential.
 * Changed endpoints are derived here, in each process, and become durable when the next token generation is sealed with them.
 */
import type { Grant } from '../connection.ts'
import type { AuthorizationServerInfo } from './discovery.ts'
import type { EndpointOverrides } from './discovery.ts'

type Endpoints = Pick<AuthorizationServerInfo, 'tokenEndpoint' | 'revocationEndpoint'>

/** Minimum interval between reads of an issuer's metadata, since a moved token endpoint makes every connection request one. */
const REREAD_EVERY_MS = 60_000

/** @param read reads the metadata of exactly this issuer through the SSRF guard. */
export function issuerEndpoints(overrides: EndpointOverrides, read: (issuer: URL) => Promise<Endpoints>) {
  /** By issuer. Applies only to grants with a token endpoint in `moved`, not to newer ones. */
  const endpoints = new Map<string, Endpoints>()
  const moved = new Set<string>()
  const lastRead = new Map<string, { atMs: number; done: Promise<void> }>()

  const current = (grant: Grant): Grant => {
    const found = moved.has(endpointKey(grant)) ? endpoints.get(grant.issuer) : undefined
    return {
      ...grant,
      tokenEndpoint: overrides.token?.href ?? found?.tokenEndpoint ?? grant.tokenEndpoint,
      revocationEndpoint: overrides.revocation?.href ?? found?.revocationEndpoint ?? grant.revocationEndpoint,
    }
  }

  const reread = async (issuer: string): Promise<void> => {
    const last = lastRead.get(issuer)
    if (last && performance.now() - last.atMs < REREAD_EVERY_MS) return last.done
    const done = read(new URL(issuer)).then(
      (found) => void endpoints.set(issuer, found),
      // Ignored: the failure of the refresh itself is logged.
      () => undefined,
    )
    lastRead.set(issuer, { atMs: performance.now(), done })
    return done
  }

  return {
    current,
    /** Resolves to true if the token endpoint of this grant has changed. Never throws. */
    async reread(grant: Grant): Promise<boolean> {
      if (overrides.token) return false
      const before = current(grant).tokenEndpoint
      await reread(grant.issuer)
      if (endpoints.has(grant.issuer)) moved.add(endpointKey(grant))
      return current(grant).tokenEndpoint !== before
    },
  }
}

const endpointKey = ({ issuer, tokenEndpoint }: Grant): string => `${issuer} ${tokenEndpoint}`
