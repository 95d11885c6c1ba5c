'use client'

import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { chatApi } from './chat-api.ts'
import type { ChatMessage } from './chat-message.ts'
import type { ConversationPage, ConversationSummary } from './conversation.ts'

export interface ModelChoice {
  readonly id: string
  readonly isScripted: boolean
}

interface ChatContext {
  readonly spaceId: string
  /** Whose drafts these are. */
  readonly userId: string
  /** The default first. */
  readonly models: readonly ModelChoice[]
  /** Where links to Notion lead somewhere. */
  readonly hasLinks: boolean
  /** Whether Notion is the simulation of the demo, with its known pages. */
  readonly isSimulated: boolean
  readonly list: ConversationListControl
  /** Messages streamed so far, carried from the new-chat page to the conversation's page. */
  readonly carried: CarriedMessages
}

/** Messages by conversation. */
type CarriedMessages = Map<string, readonly ChatMessage[]>

export interface ConversationListControl {
  readonly conversations: readonly ConversationSummary[]
  readonly hasMore: boolean
  readonly search: string
  readonly isSearching: boolean
  setSearch(words: string): void
  loadMore(): void
  /** Reads the first page again. */
  refresh(): void
  forget(id: string): void
}

const Context = createContext<ChatContext | undefined>(undefined)

export function ChatProvider({
  first,
  children,
  ...rest
}: Omit<ChatContext, 'carried' | 'list'> & { readonly first: ConversationPage; readonly children: ReactNode }) {
  const list = useConversationList(rest.spaceId, first)
  const [carried] = useState<CarriedMessages>(() => new Map())
  return <Context value={{ ...rest, list, carried }}>{children}</Context>
}

export function useChat(): ChatContext {
  const provided = use(Context)
  if (!provided) throw new Error('useChat requires a ChatProvider.')
  return provided
}

const TYPING_MS = 200

function useConversationList(spaceId: string, first: ConversationPage): ConversationListControl {
  const api = useMemo(() => chatApi(spaceId), [spaceId])
  const [page, setPage] = useState(first)
  const [search, setSearch] = useState('')
  const [found, setFound] = useState<{ words: string; conversations: readonly ConversationSummary[] }>()
  const latest = useRef(0)
  const words = search.trim()

  const refresh = useCallback(() => {
    const mine = ++latest.current
    api.list({}).then(
      (fresh) => mine === latest.current && setPage(fresh),
      // Keep the list; the user's next action reports the fault.
      () => undefined,
    )
  }, [api])

  useEffect(() => {
    if (words === '') return
    const leaving = new AbortController()
    const timer = setTimeout(() => {
      api.list({ search: words }, leaving.signal).then(
        ({ conversations }) => setFound({ words, conversations }),
        () => undefined,
      )
    }, TYPING_MS)
    return () => {
      clearTimeout(timer)
      leaving.abort()
    }
  }, [api, words])

  const shown = words === '' ? page.conversations : (found?.conversations ?? [])
  return {
    conversations: shown,
    hasMore: words === '' && page.next !== undefined,
    search,
    isSearching: words !== '' && found?.words !== words,
    setSearch,
    loadMore: () => {
      if (page.next === undefined) return
      api.list({ before: page.next }).then(
        (next) => setPage({ ...next, conversations: [...page.conversations, ...next.conversations] }),
        () => undefined,
      )
    },
    refresh,
    forget: (id) => {
      const without = (list: readonly ConversationSummary[]) => list.filter((conversation) => conversation.id !== id)
      setPage((known) => ({ ...known, conversations: without(known.conversations) }))
      setFound((known) => known && { ...known, conversations: without(known.conversations) })
    },
  }
}
