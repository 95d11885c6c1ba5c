import type { Proxies } from '@nmg/outbound'
import { z } from 'zod'
import type { Secret } from '../platform/secret.ts'
import type { TrustedIssuer } from './jwt-verifier.ts'

const count = (fallback: number) => z.coerce.number().int().min(1).max(1_000_000).default(fallback)
const webUrl = z.url({ protocol: /^https?$/ })

/** `https://name` or `http://name:port`, without a path. */
const origin = webUrl
  .transform((text) => new URL(text))
  .refine(({ pathname, search, hash }) => pathname === '/' && search === '' && hash === '', {
    error: 'must be an origin, as https://gateway.example.com, without a path',
  })

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
)

const Issuer = z.strictObject({
  issuer: webUrl,
  jwksUri: webUrl.optional(),
  audience: z.string().min(1).optional(),
  type: z.string().min(1).default('at+jwt'),
  spaceClaim: z.string().min(1).default('space_id'),
  userClaim: z.string().min(1).default('sub'),
  scopeClaim: z.string().min(1).default('scope'),
})

const issuers = z.string().transform((text, context): TrustedIssuer[] => {
  const { success, data } = z.array(Issuer).max(20).safeParse(parsed(text))
  if (success && new Set(data.map(({ issuer }) => issuer)).size === data.length) return data
  context.addIssue({
    code: 'custom',
    message:
      'must be a JSON list of { "issuer", "jwksUri"?, "audience"?, "type"?, "spaceClaim"?, "userClaim"?, "scopeClaim"? }, each issuer once',
  })
  return z.NEVER
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Settings about people's MCP clients. */
export const clientSettings = {
  /** The gateway as MCP clients know it. What their tokens are issued for is below this. Default: this machine's `PORT`. */
  GATEWAY_PUBLIC_URL: origin.optional(),
  /** Authorization servers whose access tokens are accepted; `[]` for none. Default: the web app at `NOTION_MCP_RETURN_BASE_URL`. */
  CLIENT_TOKEN_ISSUERS: issuers.optional(),
  /** Origins of web pages that may call the MCP endpoints, comma-separated. */
  MCP_ALLOWED_ORIGINS: list.pipe(z.array(origin)).default([]),
  /** Host names, comma-separated, under which the MCP endpoints answer beside localhost and the public URL's. */
  MCP_ALLOWED_HOSTS: list.default([]),
  /** What one person may do with one client, or one key, at each replica. */
  CLIENT_REQUESTS_PER_MINUTE: count(600),
  CLIENT_MAX_CALLS: count(32),
  CLIENT_MAX_STREAMS: count(16),
  /** The largest request body of a client; never more than `PROXY_MAX_BODY_BYTES`. */
  CLIENT_MAX_BODY_BYTES: count(4 * 1024 * 1024).pipe(z.number().min(1024)),
}

/** What {@link clientSettings} and a few others come to. */
export interface ClientSettings extends Readonly<z.infer<z.ZodObject<typeof clientSettings>>> {
  readonly HOST: string
  readonly PROXY_MAX_BODY_BYTES: number
  readonly redirectUri: string
  readonly serviceTokens: readonly Secret[]
  readonly publicUrl: URL
  readonly proxies: Proxies
  readonly tokenIssuers: readonly TrustedIssuer[]
}

/** The web app's own authorization server: what is trusted unless the operator says otherwise. */
export function webAppIssuer(returnBase: URL): TrustedIssuer {
  return Issuer.parse({ issuer: new URL('/api/auth', returnBase).href })
}
