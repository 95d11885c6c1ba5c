import { ConversationView } from '@/features/chat/conversation-view.tsx'
import { memberPageTitle, requireMemberPage } from '@/lib/page-guards.ts'

export const generateMetadata = memberPageTitle('Chat')

export default async function NewChatPage({ params }: { params: Promise<{ spaceId: string }> }) {
  await requireMemberPage(params)
  return <ConversationView opened={undefined} />
}
