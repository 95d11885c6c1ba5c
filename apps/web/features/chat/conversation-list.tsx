'use client'

import { Plus, Users } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { buttonStyle } from '@/components/ui/button.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { inputStyle } from '@/components/ui/field.tsx'
import { LinkProgress } from '@/components/ui/link-progress.tsx'
import { useChat } from './chat-context.tsx'

/** The conversations of the user and those that others share, newest first. */
export function ConversationList({ onGo }: { onGo?: () => void }) {
  const { spaceId, list } = useChat()
  const path = usePathname()
  const newChat = `/spaces/${spaceId}/chat` as Route
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3">
      <Link
        href={newChat}
        prefetch={false}
        onClick={() => onGo?.()}
        className={cn(buttonStyle({ look: 'secondary', size: 'small' }), 'h-9 shrink-0')}
      >
        <LinkProgress icon={<Plus aria-hidden />} />
        New chat
      </Link>
      <input
        type="search"
        aria-label="Search conversations"
        placeholder="Search conversations"
        value={list.search}
        onChange={(event) => list.setSearch(event.target.value)}
        className={cn(inputStyle, 'h-9 shrink-0 text-sm')}
      />
      <nav aria-label="Conversations" className="-mx-1 min-h-0 flex-1 overflow-y-auto px-1 pb-1">
        <ul className="space-y-0.5">
          {list.conversations.map(({ id, title, visibility, isMine, ownerName }) => {
            const href = `/spaces/${spaceId}/chat/${id}` as const
            return (
              <li key={id}>
                <Link
                  href={href}
                  prefetch={false}
                  onClick={() => onGo?.()}
                  aria-current={path === href ? 'page' : undefined}
                  className="flex min-h-9 items-center gap-2 rounded-lg px-2.5 py-1.5 text-[13px] text-soft hover:bg-sunken hover:text-ink aria-[current]:bg-sunken aria-[current]:font-medium aria-[current]:text-ink max-lg:min-h-11"
                >
                  <span className="min-w-0 flex-1">
                    <span dir="auto" className="block truncate">
                      {title}
                    </span>
                    {!isMine && (
                      <span className="block truncate text-xs font-normal text-faint">
                        by <bdi>{ownerName}</bdi>
                      </span>
                    )}
                  </span>
                  <LinkProgress />
                  {visibility === 'space' && (
                    <>
                      <Users aria-hidden className="size-3.5 shrink-0 text-faint" />
                      <span className="sr-only">shared with the space</span>
                    </>
                  )}
                </Link>
              </li>
            )
          })}
        </ul>
        {list.conversations.length === 0 && (
          <p role="status" className="px-2.5 py-3 text-[13px] text-pretty text-soft">
            {list.isSearching
              ? 'Searching…'
              : list.search.trim() === ''
                ? 'No conversations yet.'
                : 'No conversations found.'}
          </p>
        )}
        {list.hasMore && (
          <button
            type="button"
            onClick={list.loadMore}
            className="mt-1 h-9 w-full rounded-lg text-[13px] font-medium text-soft hover:bg-sunken hover:text-ink"
          >
            Show older
          </button>
        )}
      </nav>
    </div>
  )
}
