import { z } from 'zod'
import { foundSpace, SpaceName } from '@/features/spaces/people.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireSignedIn } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

const Body = z.object({ name: SpaceName })

/** Makes a space. */
export const POST = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    const { name } = await jsonBody(request, Body)
    return Response.json({ spaceId: await foundSpace(found, name) }, { status: 201, ...noStore })
  })
