import type { ReactNode } from 'react'
import { ChatProvider } from '@/features/chat/chat-context.tsx'
import { ConversationList } from '@/features/chat/conversation-list.tsx'
import { listConversations } from '@/features/chat/conversation-store.ts'
import { runtime } from '@/lib/runtime.ts'
import { requireMemberPage } from '@/lib/page-guards.ts'

/** The conversations beside the one that is open. */
export default async function ChatLayout({
  children,
  params,
}: {
  children: ReactNode
  params: Promise<{ spaceId: string }>
}) {
  const member = await requireMemberPage(params)
  const { chatModels, isDemo } = runtime()
  return (
    <ChatProvider
      spaceId={member.space.id}
      userId={member.user.id}
      // Of the settings, only what people see: keys stay here.
      models={chatModels.map(({ id, provider }) => ({ id, isScripted: provider === 'scripted' }))}
      hasLinks={!isDemo}
      isSimulated={isDemo}
      first={await listConversations(runtime(), member)}
    >
      <div className="flex min-h-0 flex-1">
        {children}
        <aside
          aria-label="Conversations"
          className="order-first flex w-64 shrink-0 flex-col border-r border-line p-3 max-xl:hidden"
        >
          <ConversationList />
        </aside>
      </div>
    </ChatProvider>
  )
}
