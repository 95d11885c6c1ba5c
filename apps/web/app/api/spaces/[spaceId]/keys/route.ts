import type { NextRequest } from 'next/server'
import { NewKey } from '@/features/clients/client-lists.ts'
import { makeKey } from '@/features/clients/space-clients.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

/** A new key of the person for the space; the answer is the only one that holds it. */
export const POST = (request: NextRequest, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, (await params).spaceId)
    const made = await makeKey(member, await jsonBody(request, NewKey))
    return Response.json(made, { status: 201, ...noStore })
  })
