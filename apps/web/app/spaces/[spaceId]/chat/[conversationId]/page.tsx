import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { ConversationView } from '@/features/chat/conversation-view.tsx'
import { findConversation } from '@/features/chat/conversation-store.ts'
import { openedConversation } from '@/features/chat/opened-conversation.ts'
import { requireMemberPage } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'

interface PageProps {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

async function visibleConversation(params: PageProps['params']) {
  const member = await requireMemberPage(params)
  const { conversationId } = await params
  const conversation = (await findConversation(runtime(), member, conversationId)) ?? notFound()
  return { member, conversation }
}

export async function generateMetadata({ params }: PageProps): Promise<Metadata> {
  const { conversation } = await visibleConversation(params)
  return { title: conversation.title }
}

export default async function ConversationPage({ params }: PageProps) {
  const { member, conversation } = await visibleConversation(params)
  const opened = await openedConversation(runtime(), member, conversation.id)
  return <ConversationView key={conversation.id} opened={opened} />
}
