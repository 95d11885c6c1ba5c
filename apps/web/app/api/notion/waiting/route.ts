import { WorkspaceChangeDecision } from '@nmg/contract'
import { z } from 'zod'
import { describeConnection, confirmWorkspaceChange } from '@/features/integrations/space-connection.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireManager } from '@/lib/membership.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Body = WorkspaceChangeDecision.extend({ spaceId: z.string().optional() })

/** Accepts or declines a pending workspace change. Returns the updated connection. */
export const POST = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, ...decision } = await jsonBody(request, Body)
    const manager = requireManager(await requireMember(request.headers, spaceId))
    await confirmWorkspaceChange(runtime(), manager, decision)
    return Response.json(await describeConnection(runtime(), manager), noStore)
  })
