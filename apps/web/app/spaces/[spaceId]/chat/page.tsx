import { randomUUID } from 'node:crypto'
import { ConversationView } from '../../../../features/chat/conversation-view.tsx'
import { memberPageTitle, requireMemberPage } from '../../../../lib/visitor.ts'

export const generateMetadata = memberPageTitle('Chat')

export default async function NewChatPage({ params }: { params: Promise<{ spaceId: string }> }) {
  await requireMemberPage(params)
  // Each visit begins a new conversation, also from one that was begun on this page.
  const id = randomUUID()
  return <ConversationView key={id} conversationId={id} initial={undefined} />
}
