import { z } from 'zod'
import { handOver } from '@/features/spaces/people.ts'
import { jsonBody } from '@/lib/json-body.ts'
import { requireManager, requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

const Body = z.object({ to: z.uuid() })

/** Makes another member the owner instead. */
export const POST = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const manager = requireManager(await requireMember(request.headers, (await params).spaceId))
    await handOver(manager, (await jsonBody(request, Body)).to)
    return new Response(null, { status: 204 })
  })
