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

const commaSeparated = z.string().transform((text) =>
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
  const { success, data } = z.array(Issuer).max(20).safeParse(parseJson(text))
  if (success && new Set(data.map(({ issuer }) => issuer)).size === data.length) return data
  context.addIssue({
    code: 'custom',
    message:
      'must be a JSON list of { "issuer", "jwksUri"?, "audience"?, "type"?, "spaceClaim"?, "userClaim"?, "scopeClaim"? }, each issuer once',
  })
  return z.NEVER
})

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Settings for users' MCP clients. */
export const clientSettings = {
  /** The gateway's URL for MCP clients. Their tokens are issued for URLs below it. Default: `http://localhost` with `PORT`. */
  GATEWAY_PUBLIC_URL: origin.optional(),
  /** Authorization servers whose access tokens are accepted; `[]` for none. Default: the web app at `NOTION_MCP_RETURN_BASE_URL`. */
  CLIENT_TOKEN_ISSUERS: issuers.optional(),
  /** Origins of web pages that may call the MCP endpoints, separated by commas. */
  MCP_ALLOWED_ORIGINS: commaSeparated.pipe(z.array(origin)).default([]),
  /** Host names that the MCP endpoints accept in addition to localhost and the public URL's, separated by commas. */
  MCP_ALLOWED_HOSTS: commaSeparated.default([]),
  /** Limits per user, space and client or key, at each replica. */
  CLIENT_REQUESTS_PER_MINUTE: count(600),
  CLIENT_MAX_CALLS: count(32),
  CLIENT_MAX_STREAMS: count(16),
  /** Maximum size of a client's request body; `PROXY_MAX_BODY_BYTES` applies as well. */
  CLIENT_MAX_BODY_BYTES: count(4 * 1024 * 1024).pipe(z.number().min(1024)),
}

/** The parsed {@link clientSettings}, with settings of other areas that clients need. */
export interface ClientSettings extends Readonly<z.infer<z.ZodObject<typeof clientSettings>>> {
  readonly HOST: string
  readonly PROXY_MAX_BODY_BYTES: number
  readonly redirectUri: string
  readonly serviceTokens: readonly Secret[]
  readonly publicUrl: URL
  readonly proxies: Proxies
  readonly tokenIssuers: readonly TrustedIssuer[]
}

/** The web app's authorization server: the default of `CLIENT_TOKEN_ISSUERS`. */
export function webAppIssuer(returnBase: URL): TrustedIssuer {
  return Issuer.parse({ issuer: new URL('/api/auth', returnBase).href })
}
