import type { NextRequest } from 'next/server'
import { carryOut, ConsentDecision } from '../../../../features/clients/consent-decision.ts'
import { requireOwnOrigin } from '../../../../lib/own-origin.ts'
import { answering, Refusal } from '../../../../lib/refusal.ts'

/** The person's answer on the consent page. */
export const POST = (request: NextRequest) =>
  answering(async () => {
    requireOwnOrigin(request.headers)
    const decision = ConsentDecision.safeParse(await request.json().catch(() => undefined))
    if (!decision.success) {
      throw new Refusal(
        'invalid_request',
        'Send the request, whether it is allowed, and if so the space and the scope.',
      )
    }
    const location = await carryOut(request.headers, decision.data)
    return Response.json({ location }, { headers: { 'cache-control': 'no-store' } })
  })
