import { z } from 'zod'
import { renameSpace, SpaceName } from '@/features/spaces/members.ts'
import { jsonBody } from '@/lib/json-body.ts'
import { requireManager } from '@/lib/membership.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Body = z.object({ name: SpaceName })

/** Renames the space. */
export const PATCH = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const manager = requireManager(await requireMember(request.headers, (await params).spaceId))
    await renameSpace(runtime(), manager, (await jsonBody(request, Body)).name)
    return new Response(null, { status: 204 })
  })
