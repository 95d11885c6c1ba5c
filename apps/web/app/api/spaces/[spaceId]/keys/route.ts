import type { NextRequest } from 'next/server'
import { NewKey } from '@/features/clients/client-lists.ts'
import { makeKey } from '@/features/clients/space-clients.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Creates a key of the user for the space. Only this response contains the key. */
export const POST = (request: NextRequest, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, (await params).spaceId)
    const made = await makeKey(runtime(), member, await jsonBody(request, NewKey))
    return Response.json(made, { status: 201, ...noStore })
  })
