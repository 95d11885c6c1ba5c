import type { NextRequest } from 'next/server'
import { clientLists } from '@/features/clients/space-clients.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** The user's keys in the space, and the clients that have called for them. */
export const GET = (request: NextRequest, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    const member = await requireMember(request.headers, (await params).spaceId)
    return Response.json(await clientLists(runtime(), member), noStore)
  })
