import type { NextRequest } from 'next/server'
import { z } from 'zod'
import { browserBinding } from '@/features/integrations/binding-cookie.ts'
import { startAuthorization } from '@/features/integrations/space-connection.ts'
import { optionalJsonBody } from '@/lib/json-body.ts'
import { requireManager } from '@/lib/membership.ts'
import { requireMember, requireOwnOrigin, requireWithinLimit } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Body = z.object({ spaceId: z.string().optional(), returnPath: z.string().optional() })

export const POST = (request: NextRequest) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, returnPath } = await optionalJsonBody(request, Body)
    const manager = requireManager(await requireMember(request.headers, spaceId))
    await requireWithinLimit(request.headers, 'connect', { user: manager.user.id, space: manager.space.id })
    const binding = browserBinding(runtime(), request)
    const start = await startAuthorization(runtime(), manager, binding.value, returnPath)
    return Response.json(start, { headers: { 'cache-control': 'no-store', 'set-cookie': binding.setCookie } })
  })
