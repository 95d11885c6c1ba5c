import { z } from 'zod'
import { renameSpace, SpaceName } from '@/features/spaces/people.ts'
import { jsonBody } from '@/lib/json-body.ts'
import { requireManager, requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

const Body = z.object({ name: SpaceName })

/** Renames the space. */
export const PATCH = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const manager = requireManager(await requireMember(request.headers, (await params).spaceId))
    await renameSpace(manager, (await jsonBody(request, Body)).name)
    return new Response(null, { status: 204 })
  })
