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
  GATEWAY_PUBLIC_URL: origin.optional().meta({
    description:
      "The gateway's origin as MCP clients know it. Access tokens are issued for URLs below it. The same value for both processes.",
    defaultText: '`http://localhost:<PORT>`',
  }),
  CLIENT_TOKEN_ISSUERS: issuers.optional().meta({
    description:
      'Authorization servers whose access tokens are accepted, as a JSON list: `issuer`, `jwksUri?`, `audience?`, `type?` (`at+jwt`), `spaceClaim?` (`space_id`), `userClaim?` (`sub`), `scopeClaim?` (`scope`). `[]`: keys only. See [clients.md](clients.md).',
    defaultText: 'the web app: `[{"issuer":"<NOTION_MCP_RETURN_BASE_URL>/api/auth"}]`',
  }),
  MCP_ALLOWED_ORIGINS: commaSeparated
    .pipe(z.array(origin))
    .default([])
    .describe(
      'Origins of web pages that may call the MCP endpoints, separated by commas. Pages on this machine may call from this machine in any case.',
    ),
  MCP_ALLOWED_HOSTS: commaSeparated
    .default([])
    .describe(
      'Further host names of the MCP endpoints, separated by commas. Checked if the gateway listens on a loopback address, or if this is set.',
    ),
  CLIENT_REQUESTS_PER_MINUTE: count(600).describe(
    'Requests per minute of one user with one client or key, on each replica.',
  ),
  CLIENT_MAX_CALLS: count(32).describe('Calls in flight of one user with one client or key, on each replica.'),
  CLIENT_MAX_STREAMS: count(16).describe('Open streams of one user with one client or key, on each replica.'),
  CLIENT_MAX_BODY_BYTES: count(4 * 1024 * 1024)
    .pipe(z.number().min(1024))
    .describe('Largest request body of a client; never more than `PROXY_MAX_BODY_BYTES`.'),
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
