import 'server-only'
import { Scope } from '@nmg/contract'
import { z } from 'zod'
import { requireMember, signedIn } from '../../lib/members.ts'
import { resourceOf } from '../../lib/oauth/resources.ts'
import { notionScopes, OFFLINE } from '../../lib/oauth/scopes.ts'
import { Refusal } from '../../lib/refusal.ts'
import { runtime } from '../../lib/runtime.ts'

/** What the consent page sends. */
export const ConsentDecision = z.discriminatedUnion('allow', [
  z.object({ allow: z.literal(false), request: z.string() }),
  z.object({ allow: z.literal(true), request: z.string(), spaceId: z.string().min(1), scope: Scope }),
])
export type ConsentDecision = z.infer<typeof ConsentDecision>

/**
 * Carries out what the person decided, and answers where their browser goes next.
 *
 * @throws {Refusal} `unauthenticated`, `forbidden_space`, `invalid_request`
 */
export async function carryOut(headers: Headers, decision: ConsentDecision): Promise<string> {
  const { oauth, gatewayPublicUrl } = runtime()
  const request = new URLSearchParams(decision.request)
  let made: Parameters<typeof oauth.decide>[2] = { allow: false }
  let scope = ''
  if (decision.allow) {
    const { space } = await requireMember(headers, decision.spaceId)
    const named = resourceOf(gatewayPublicUrl, request.get('resource') ?? '')?.spaceId
    if (named !== undefined && named !== space.id) {
      throw new Refusal('forbidden_space', 'The client asks for another space. Start again from the client.')
    }
    made = { allow: true, spaceId: space.id }
    scope = [...granted(request.get('scope'), decision.scope), OFFLINE].join(' ')
  } else if (!(await signedIn(headers))) {
    throw new Refusal('unauthenticated', 'Nobody is signed in. Sign in and try again.')
  }
  const next = await oauth.decide(headers, decision.request, made, scope)
  if (next === undefined) {
    throw new Refusal(
      'invalid_request',
      'This request is too old, or was answered already. Start again from the client.',
    )
  }
  return next
}

/** No more than was asked for, and no more than the person allows. */
function granted(requested: string | null, upTo: Scope): Scope[] {
  const scopes = notionScopes(requested).filter((scope) => upTo === 'notion:write' || scope === 'notion:read')
  // A client that asked to write only can be allowed to read: writing includes it.
  if (scopes.length === 0) throw new Refusal('invalid_request', 'The client did not ask for reading only.')
  return scopes
}
