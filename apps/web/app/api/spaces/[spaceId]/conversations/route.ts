import type { NextRequest } from 'next/server'
import { listConversations, searchConversations } from '@/features/chat/conversation-store.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

export const GET = (request: NextRequest, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    const member = await requireMember(request.headers, (await params).spaceId)
    const { searchParams } = request.nextUrl
    const words = searchParams.get('search')?.trim()
    const page = words
      ? await searchConversations(runtime(), member, words)
      : await listConversations(runtime(), member, searchParams.get('before') ?? undefined)
    return Response.json(page, noStore)
  })
