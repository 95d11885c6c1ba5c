import type { NextRequest } from 'next/server'
import { revokeGrants } from '@/features/clients/allowed-clients.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin, requireSignedIn } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Ends all logins of all clients of the user. */
export const DELETE = (request: NextRequest) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    await revokeGrants(runtime(), found.user, 'all')
    return new Response(null, { status: 204, ...noStore })
  })
