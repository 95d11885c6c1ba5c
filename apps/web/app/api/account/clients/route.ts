import type { NextRequest } from 'next/server'
import { endAllowed } from '@/features/clients/allowed-clients.ts'
import { noStore } from '@/lib/json-body.ts'
import { signedIn } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { Failure } from '@/lib/failure.ts'
import { respond } from '@/lib/problem-response.ts'

/** Ends all logins of all clients of the person. */
export const DELETE = (request: NextRequest) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await signedIn(request.headers)
    if (!found) throw new Failure('unauthenticated', 'Nobody is signed in. Sign in and try again.')
    await endAllowed(found.person, 'all')
    return new Response(null, { status: 204, ...noStore })
  })
