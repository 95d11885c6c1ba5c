import { enterSpace } from '@/features/spaces/people.ts'
import { requireSignedIn } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

/** From now on this session begins in the space. */
export const POST = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    await enterSpace(await requireSignedIn(request.headers), (await params).spaceId)
    return new Response(null, { status: 204 })
  })
