import type { NextRequest } from 'next/server'
import { describeConnection, disconnect } from '@/features/integrations/space-connection.ts'
import { requireManager } from '@/lib/membership.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { Failure } from '@/lib/failure.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const noStore = { headers: { 'cache-control': 'no-store' } }

export const GET = (request: NextRequest) =>
  respond(async () => {
    const member = await requireMember(request.headers, request.nextUrl.searchParams.get('spaceId'))
    return Response.json(await describeConnection(runtime(), member), noStore)
  })

export const DELETE = (request: NextRequest) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, request.nextUrl.searchParams.get('spaceId'))
    return Response.json(await disconnect(runtime(), requireManager(member)), noStore)
  })

/** Where a classic Notion token was handed in once. */
const retired = () =>
  respond(async () => {
    throw new Failure(
      'retired',
      'Submitting tokens is no longer supported. Connect Notion with POST /api/notion/oauth/start.',
    )
  })

export { retired as POST, retired as PUT }
