import { acceptInvitation } from '@/features/spaces/members.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin, requireSignedIn, requireWithinLimit } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Joins the space that the link invites to. */
export const POST = (request: Request, { params }: { params: Promise<{ secret: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    await requireWithinLimit(request.headers, 'joinSpace', { user: found.user.id })
    return Response.json({ spaceId: await acceptInvitation(runtime(), found, (await params).secret) }, noStore)
  })
