import { z } from 'zod'
import { createSpace, SpaceName } from '@/features/spaces/members.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin, requireSignedIn } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Body = z.object({ name: SpaceName })

/** Makes a space. */
export const POST = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    const { name } = await jsonBody(request, Body)
    return Response.json({ spaceId: await createSpace(runtime(), found, name) }, { status: 201, ...noStore })
  })
