import 'server-only'
import { Scope } from '@nmg/contract'
import { z } from 'zod'
import { requireMemberIn, type SignedIn } from '@/lib/membership.ts'
import { resourceOf } from '@/authorization-server/resources.ts'
import { notionScopes, OFFLINE } from '@/authorization-server/scopes.ts'
import { Failure } from '@/lib/failure.ts'
import type { App } from '@/lib/runtime.ts'

/** Request body of the consent page. */
export const ConsentDecision = z.discriminatedUnion('allow', [
  z.object({ allow: z.literal(false), request: z.string() }),
  z.object({ allow: z.literal(true), request: z.string(), spaceId: z.string().min(1), scope: Scope }),
])
export type ConsentDecision = z.infer<typeof ConsentDecision>

/**
 * Applies the user's decision and returns the URL to redirect to.
 *
 * @throws {Failure} `forbidden_space`, `invalid_request`
 */
export async function carryOut(
  app: App<'authorizationServer' | 'gatewayPublicUrl'>,
  found: SignedIn,
  userAgent: string,
  decision: ConsentDecision,
): Promise<string> {
  const made = decision.allow
    ? { ...allowed(app, found, decision), userAgent: userAgent.slice(0, 300) }
    : ({ allow: false } as const)
  const next = await app.authorizationServer.decide(found.user.id, decision.request, made)
  if (next === undefined) {
    throw new Failure('invalid_request', 'This request has expired. Log in from the client again.')
  }
  return next
}

function allowed(
  { gatewayPublicUrl }: App<'gatewayPublicUrl'>,
  found: SignedIn,
  { request, spaceId, scope }: ConsentDecision & { allow: true },
) {
  const { space } = requireMemberIn(found, spaceId)
  const asked = new URLSearchParams(request)
  const named = resourceOf(gatewayPublicUrl, asked.get('resource') ?? '')?.spaceId
  if (named !== undefined && named !== space.id) {
    throw new Failure('forbidden_space', 'The client requested a different space. Log in from the client again.')
  }
  return {
    allow: true,
    spaceId: space.id,
    scopes: [...granted(asked.get('scope'), scope), OFFLINE],
  } as const
}

/** Intersection of requested and allowed scopes. */
function granted(requested: string | null, upTo: Scope): Scope[] {
  const scopes = notionScopes(requested).filter((scope) => upTo === 'notion:write' || scope === 'notion:read')
  // `notion:write` includes reading, so a client that requested only it may be granted `notion:read`.
  if (scopes.length === 0) throw new Failure('invalid_request', 'The client didn’t request read-only access.')
  return scopes
}
