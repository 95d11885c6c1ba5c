import type { NextRequest } from 'next/server'
import { deleteKey } from '@/features/clients/space-clients.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

/** Deletes a key of the person. */
export const DELETE = (request: NextRequest, { params }: { params: Promise<{ spaceId: string; keyId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, keyId } = await params
    await deleteKey(await requireMember(request.headers, spaceId), keyId)
    return new Response(null, { status: 204, ...noStore })
  })
