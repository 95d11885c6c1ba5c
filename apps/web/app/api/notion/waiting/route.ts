import { WorkspaceChangeDecision } from '@nmg/contract'
import { z } from 'zod'
import { describeConnection, settleWorkspace } from '@/features/integrations/space-connection.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireManager, requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

const Body = WorkspaceChangeDecision.extend({ spaceId: z.string().optional() })

/** Decides about a consent that reached another workspace. Answers with the connection as it is then. */
export const POST = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, ...decision } = await jsonBody(request, Body)
    const manager = requireManager(await requireMember(request.headers, spaceId))
    await settleWorkspace(manager, decision)
    return Response.json(await describeConnection(manager), noStore)
  })
