import type { NextRequest } from 'next/server'
import { z } from 'zod'
import { historyKinds } from '@/features/integrations/history-response.ts'
import { connectionHistory } from '@/features/integrations/space-history.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/request-guards.ts'
import { Failure } from '@/lib/failure.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Query = z.object({
  kind: z.enum(historyKinds).default('all'),
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
})

/** What happened to the space's connection, page by page. */
export const GET = (request: NextRequest) =>
  respond(async () => {
    const { spaceId, ...query } = Object.fromEntries(request.nextUrl.searchParams)
    const member = await requireMember(request.headers, spaceId)
    const parsed = Query.safeParse(query)
    if (!parsed.success) throw new Failure('invalid_request', 'The query parameter `kind` or `before` is not valid.')
    return Response.json(
      await connectionHistory(runtime(), member, { before: parsed.data.before, kind: parsed.data.kind }),
      noStore,
    )
  })
