import { forgetCalls, keepCall, lastCalls, NewCall } from '@/features/tools/tool-call-store.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

interface Context {
  readonly params: Promise<{ spaceId: string }>
}

/** The person's own last calls in this space. */
export const GET = (request: Request, { params }: Context) =>
  respond(async () => {
    const member = await requireMember(request.headers, (await params).spaceId)
    return Response.json({ calls: await lastCalls(member) }, noStore)
  })

export const POST = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, (await params).spaceId)
    await keepCall(member, await jsonBody(request, NewCall))
    return new Response(null, { status: 204 })
  })

export const DELETE = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    await forgetCalls(await requireMember(request.headers, (await params).spaceId))
    return new Response(null, { status: 204 })
  })
