/**
 * Where a grant's tokens are sent. The stored grant is never edited: its endpoints are authenticated by the seal of its credential, and one that was
 * changed in the database does not open. What is different today is derived here, in each process, and becomes durable when the next generation is
 * sealed with it.
 */
import type { Grant } from '../connection.ts'
import type { AuthorizationServerInfo } from './discovery.ts'
import type { EndpointOverrides } from './discovery.ts'

type Endpoints = Pick<AuthorizationServerInfo, 'tokenEndpoint' | 'revocationEndpoint'>

/** Metadata of one issuer are read this often at most, in milliseconds: what a token endpoint that is gone brings about for each connection. */
const REREAD_EVERY_MS = 60_000

/** @param read the metadata of exactly this issuer, through the SSRF guard. */
export function issuerEndpoints(overrides: EndpointOverrides, read: (issuer: URL) => Promise<Endpoints>) {
  /** By issuer. Counts for grants that were stored with a token endpoint which turned out to be gone, and for no newer ones. */
  const learned = new Map<string, Endpoints>()
  const gone = new Set<string>()
  const lastRead = new Map<string, { atMs: number; done: Promise<void> }>()

  const current = (grant: Grant): Grant => {
    const known = gone.has(placeOf(grant)) ? learned.get(grant.issuer) : undefined
    return {
      ...grant,
      tokenEndpoint: overrides.token?.href ?? known?.tokenEndpoint ?? grant.tokenEndpoint,
      revocationEndpoint: overrides.revocation?.href ?? known?.revocationEndpoint ?? grant.revocationEndpoint,
    }
  }

  const reread = async (issuer: string): Promise<void> => {
    const last = lastRead.get(issuer)
    if (last && performance.now() - last.atMs < REREAD_EVERY_MS) return last.done
    const done = read(new URL(issuer)).then(
      (endpoints) => void learned.set(issuer, endpoints),
      // Nothing was learned; the failure of the refresh itself is what gets logged.
      () => undefined,
    )
    lastRead.set(issuer, { atMs: performance.now(), done })
    return done
  }

  return {
    current,
    /** Resolves to whether the token endpoint of this grant is another one than before. Never throws. */
    async reread(grant: Grant): Promise<boolean> {
      if (overrides.token) return false
      const before = current(grant).tokenEndpoint
      await reread(grant.issuer)
      if (learned.has(grant.issuer)) gone.add(placeOf(grant))
      return current(grant).tokenEndpoint !== before
    },
  }
}

const placeOf = ({ issuer, tokenEndpoint }: Grant): string => `${issuer} ${tokenEndpoint}`
