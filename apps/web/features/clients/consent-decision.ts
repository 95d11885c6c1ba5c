import 'server-only'
import { Scope } from '@nmg/contract'
import { z } from 'zod'
import { requireMember, signedIn } from '@/lib/members.ts'
import { resourceOf } from '@/authorization-server/resources.ts'
import { notionScopes, OFFLINE } from '@/authorization-server/scopes.ts'
import { Failure } from '@/lib/failure.ts'
import { runtime } from '@/lib/runtime.ts'

/** What the consent page sends. */
export const ConsentDecision = z.discriminatedUnion('allow', [
  z.object({ allow: z.literal(false), request: z.string() }),
  z.object({ allow: z.literal(true), request: z.string(), spaceId: z.string().min(1), scope: Scope }),
])
export type ConsentDecision = z.infer<typeof ConsentDecision>

/**
 * Carries out what the person decided, and answers where their browser goes next.
 *
 * @throws {Failure} `unauthenticated`, `forbidden_space`, `invalid_request`
 */
export async function carryOut(headers: Headers, decision: ConsentDecision): Promise<string> {
  const found = await signedIn(headers)
  if (!found) throw new Failure('unauthenticated', 'Nobody is signed in. Sign in and try again.')
  const made = decision.allow ? await allowed(headers, decision) : ({ allow: false } as const)
  const next = await runtime().authorizationServer.decide(found.person.id, decision.request, made)
  if (next === undefined) {
    throw new Failure('invalid_request', 'This request is too old. Start again from the client.')
  }
  return next
}

async function allowed(headers: Headers, { request, spaceId, scope }: ConsentDecision & { allow: true }) {
  const { space } = await requireMember(headers, spaceId)
  const asked = new URLSearchParams(request)
  const named = resourceOf(runtime().gatewayPublicUrl, asked.get('resource') ?? '')?.spaceId
  if (named !== undefined && named !== space.id) {
    throw new Failure('forbidden_space', 'The client asks for another space. Start again from the client.')
  }
  return {
    allow: true,
    spaceId: space.id,
    scopes: [...granted(asked.get('scope'), scope), OFFLINE],
    userAgent: (headers.get('user-agent') ?? '').slice(0, 300),
  } as const
}

/** No more than was asked for, and no more than the person allows. */
function granted(requested: string | null, upTo: Scope): Scope[] {
  const scopes = notionScopes(requested).filter((scope) => upTo === 'notion:write' || scope === 'notion:read')
  // A client that asked to write only can be allowed to read: writing includes it.
  if (scopes.length === 0) throw new Failure('invalid_request', 'The client did not ask for reading only.')
  return scopes
}
