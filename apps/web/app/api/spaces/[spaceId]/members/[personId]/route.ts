import { z } from 'zod'
import { changeRole, removePerson } from '@/features/spaces/people.ts'
import { jsonBody } from '@/lib/json-body.ts'
import { requireManager, requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'
import { roles } from '@/lib/roles.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; personId: string }>
}

const Body = z.object({ role: z.enum(roles) })

/** Gives a member another role. */
export const PATCH = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, personId } = await params
    const manager = requireManager(await requireMember(request.headers, spaceId))
    await changeRole(manager, personId, (await jsonBody(request, Body)).role)
    return new Response(null, { status: 204 })
  })

/** Removes a member; oneself, to leave. */
export const DELETE = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, personId } = await params
    const member = await requireMember(request.headers, spaceId)
    await removePerson(personId === member.person.id ? member : requireManager(member), personId)
    return new Response(null, { status: 204 })
  })
