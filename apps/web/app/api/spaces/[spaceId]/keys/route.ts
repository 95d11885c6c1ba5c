import type { NextRequest } from 'next/server'
import { NewKey } from '../../../../../features/clients/client-lists.ts'
import { makeKey } from '../../../../../features/clients/space-clients.ts'
import { requireMember } from '../../../../../lib/members.ts'
import { requireOwnOrigin } from '../../../../../lib/own-origin.ts'
import { answering, Refusal } from '../../../../../lib/refusal.ts'

/** A new key of the person for the space; the answer is the only one that holds it. */
export const POST = (request: NextRequest, { params }: { params: Promise<{ spaceId: string }> }) =>
  answering(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, (await params).spaceId)
    const key = NewKey.safeParse(await request.json().catch(() => undefined))
    if (!key.success)
      throw new Refusal('invalid_request', 'A key needs a name, a scope and a time for which it is good.')
    return Response.json(await makeKey(member, key.data), { status: 201, headers: { 'cache-control': 'no-store' } })
  })
