import { redirect } from 'next/navigation'
import { connectionView } from '@/features/integrations/space-connection.ts'
import { requireMemberPage } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { startOf } from './navigation.ts'

/** The address of a space without a page of it. */
export default async function SpacePage({ params }: { params: Promise<{ spaceId: string }> }) {
  const member = await requireMemberPage(params)
  const { status } = await connectionView(runtime(), member)
  redirect(startOf(member.space.id, status === 'connected'))
}
