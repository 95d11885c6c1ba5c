import type { NextRequest } from 'next/server'
import { revokeGrants } from '@/features/clients/allowed-clients.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin, requireSignedIn } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Ends one login of a client. */
export const DELETE = (request: NextRequest, { params }: { params: Promise<{ grantId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    await revokeGrants(runtime(), found.user, { grantId: (await params).grantId })
    return new Response(null, { status: 204, ...noStore })
  })
