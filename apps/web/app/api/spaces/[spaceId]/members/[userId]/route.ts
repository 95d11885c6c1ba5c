import { z } from 'zod'
import { changeRole, removeMember } from '@/features/spaces/members.ts'
import { jsonBody } from '@/lib/json-body.ts'
import { requireManager } from '@/lib/membership.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { roles } from '@/lib/roles.ts'
import { runtime } from '@/lib/runtime.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; userId: string }>
}

const Body = z.object({ role: z.enum(roles) })

/** Gives a member another role. */
export const PATCH = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, userId } = await params
    const manager = requireManager(await requireMember(request.headers, spaceId))
    await changeRole(runtime(), manager, userId, (await jsonBody(request, Body)).role)
    return new Response(null, { status: 204 })
  })

/** Removes a member; oneself, to leave. */
export const DELETE = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, userId } = await params
    const member = await requireMember(request.headers, spaceId)
    await removeMember(runtime(), userId === member.user.id ? member : requireManager(member), userId)
    return new Response(null, { status: 204 })
  })
