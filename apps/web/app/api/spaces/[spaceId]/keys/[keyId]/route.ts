import type { NextRequest } from 'next/server'
import { deleteKey } from '@/features/clients/space-clients.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Deletes a key of the user. */
export const DELETE = (request: NextRequest, { params }: { params: Promise<{ spaceId: string; keyId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, keyId } = await params
    await deleteKey(runtime(), await requireMember(request.headers, spaceId), keyId)
    return new Response(null, { status: 204, ...noStore })
  })
