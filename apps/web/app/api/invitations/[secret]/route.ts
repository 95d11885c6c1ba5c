import { acceptInvitation } from '@/features/spaces/people.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireSignedIn } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'
import { requireWithinLimit } from '@/lib/within-limit.ts'

/** Joins the space that the link invites to. */
export const POST = (request: Request, { params }: { params: Promise<{ secret: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    await requireWithinLimit(request.headers, 'joinSpace', { person: found.person.id })
    return Response.json({ spaceId: await acceptInvitation(found, (await params).secret) }, noStore)
  })
