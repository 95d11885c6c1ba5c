import { switchSpace } from '@/features/spaces/members.ts'
import { requireOwnOrigin, requireSignedIn } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** From now on this session begins in the space. */
export const POST = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    await switchSpace(runtime(), await requireSignedIn(request.headers), (await params).spaceId)
    return new Response(null, { status: 204 })
  })
