import type { NextRequest } from 'next/server'
import { carryOut, ConsentDecision } from '@/features/clients/consent-decision.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin, requireSignedIn } from '@/lib/request-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { respond } from '@/lib/problem-response.ts'

/** The user's decision on the consent page. */
export const POST = (request: NextRequest) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    const userAgent = request.headers.get('user-agent') ?? ''
    const location = await carryOut(runtime(), found, userAgent, await jsonBody(request, ConsentDecision))
    return Response.json({ location }, noStore)
  })
