import { deleteCalls, storeCall, lastCalls, NewCall } from '@/features/tools/tool-call-store.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

interface Context {
  readonly params: Promise<{ spaceId: string }>
}

/** The user's own last calls in this space. */
export const GET = (request: Request, { params }: Context) =>
  respond(async () => {
    const member = await requireMember(request.headers, (await params).spaceId)
    return Response.json({ calls: await lastCalls(runtime(), member) }, noStore)
  })

export const POST = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, (await params).spaceId)
    await storeCall(runtime(), member, await jsonBody(request, NewCall))
    return new Response(null, { status: 204 })
  })

export const DELETE = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    await deleteCalls(runtime(), await requireMember(request.headers, (await params).spaceId))
    return new Response(null, { status: 204 })
  })
