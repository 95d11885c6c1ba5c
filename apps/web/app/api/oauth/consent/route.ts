import type { NextRequest } from 'next/server'
import { carryOut, ConsentDecision } from '@/features/clients/consent-decision.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

/** The person's answer on the consent page. */
export const POST = (request: NextRequest) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const location = await carryOut(request.headers, await jsonBody(request, ConsentDecision))
    return Response.json({ location }, noStore)
  })
