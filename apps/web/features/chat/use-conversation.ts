'use client'

import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { ChatError, chatApi, readAnswer, type ChatApi, type Turn } from './chat-api.ts'
import type { ChatMessage } from './chat-message.ts'
import type { ConversationSummary } from './conversation.ts'
import type { OpenedConversation } from './opened-conversation.ts'

export type Phase = 'idle' | 'sending' | 'answering'

export interface ConversationControl {
  readonly messages: readonly ChatMessage[]
  /** Undefined while nothing was asked yet. */
  readonly summary: ConversationSummary | undefined
  readonly phase: Phase
  /** Why the last thing did not work. */
  readonly trouble: string | undefined
  readonly hasOlder: boolean
  loadOlder(): Promise<void>
  ask(text: string): void
  edit(messageId: string, text: string): void
  regenerate(): void
  decide(approvalId: string, approved: boolean, always: boolean): void
  stop(): void
  setSummary(summary: ConversationSummary): void
}

interface Options {
  readonly spaceId: string
  readonly conversationId: string
  readonly initial: OpenedConversation | undefined
  readonly model: string | undefined
  /** The conversation is new, or something about it changed that lists show. */
  readonly onChange: (conversationId: string) => void
}

/** How often a stream that broke off is picked up again, before the page gives up. */
const ATTEMPTS = 5

export function useConversation({ spaceId, conversationId, initial, model, onChange }: Options): ConversationControl {
  const api = useMemo(() => chatApi(spaceId), [spaceId])
  const [messages, setMessages] = useState<readonly ChatMessage[]>(initial?.messages ?? [])
  const [before, setBefore] = useState(initial?.before)
  const [summary, setSummary] = useState(initial?.conversation)
  const [phase, setPhase] = useState<Phase>(initial?.isAnswering ? 'answering' : 'idle')
  const [trouble, setTrouble] = useState<string>()
  const reading = useRef<AbortController>(undefined)
  const known = useRef(messages)
  useEffect(() => {
    known.current = messages
  }, [messages])

  /** Shows the answer in its place: at the end, or instead of what there was of it. */
  const show = useCallback((answer: ChatMessage) => {
    setMessages((shown) => [...shown.filter(({ id }) => id !== answer.id), answer])
  }, [])

  const refresh = useCallback(async () => {
    const opened = await api.open(conversationId)
    setMessages((shown) => merged(shown, opened.messages))
    setBefore((position) => position ?? opened.before)
    setSummary(opened.conversation)
    return opened.isAnswering
  }, [api, conversationId])

  /** Reads an answer to its end, picking it up again when the way to it breaks. */
  const follow = useCallback(
    async (first?: (signal: AbortSignal) => Promise<Response>) => {
      reading.current?.abort()
      const attempt = new AbortController()
      reading.current = attempt
      const { signal } = attempt
      const begun = (id: string) => known.current.find((message) => message.id === id)
      try {
        await readToEnd(api, conversationId, first, signal, begun, (message) => {
          if (signal.aborted) return
          setPhase('answering')
          show(message)
        })
        if (signal.aborted) return
        await refresh()
        onChange(conversationId)
        setPhase('idle')
      } catch (error) {
        if (signal.aborted) return
        setPhase('idle')
        // Signed out, or no longer a member: the server knows where to go from here.
        if (isOutside(error)) return window.location.reload()
        setTrouble(error instanceof ChatError ? error.message : 'Something went wrong here. Reload the page.')
      }
    },
    [api, conversationId, onChange, refresh, show],
  )

  useEffect(() => {
    // After the page is shown: what is there of the answer comes with the stream.
    const timer = initial?.isAnswering ? setTimeout(() => void follow()) : undefined
    return () => {
      clearTimeout(timer)
      reading.current?.abort()
    }
  }, [follow, initial])

  // Elsewhere the conversation may have gone on.
  useEffect(() => {
    if (!summary || phase !== 'idle') return
    const look = () => {
      if (document.visibilityState !== 'visible') return
      refresh().then(
        (isAnswering) => {
          if (isAnswering) {
            setPhase('answering')
            void follow()
          }
        },
        (error: unknown) => {
          if (isOutside(error)) window.location.reload()
        },
      )
    }
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [follow, phase, refresh, summary])

  const take = (turn: Turn) => {
    setTrouble(undefined)
    setPhase('sending')
    void follow((signal) => api.turn(turn, signal))
  }
  const withModel = model === undefined ? {} : { model }

  return {
    messages,
    summary,
    phase,
    trouble,
    hasOlder: before !== undefined,
    async loadOlder() {
      if (before === undefined) return
      const page = await api.older(conversationId, before)
      setMessages((shown) => [...page.messages, ...shown])
      setBefore(page.before)
    },
    ask(text) {
      const message = { id: crypto.randomUUID(), text }
      show(personMessage(message))
      take({ type: 'ask', conversationId, message, ...withModel })
    },
    edit(messageId, text) {
      const message = { id: crypto.randomUUID(), text }
      const index = messages.findIndex(({ id }) => id === messageId)
      setMessages([...messages.slice(0, index), personMessage(message)])
      take({ type: 'edit', conversationId, messageId, message, ...withModel })
    },
    regenerate() {
      setMessages(messages.filter((message, index) => index < messages.length - 1 || message.role === 'user'))
      take({ type: 'regenerate', conversationId, ...withModel })
    },
    decide: (approvalId, approved, always) => take({ type: 'decide', conversationId, approvalId, approved, always }),
    stop: () => void api.stop(conversationId).catch(() => setTrouble('It could not be stopped. Try again.')),
    setSummary,
  }
}

async function readToEnd(
  api: ChatApi,
  conversationId: string,
  first: ((signal: AbortSignal) => Promise<Response>) | undefined,
  signal: AbortSignal,
  begun: (id: string) => ChatMessage | undefined,
  show: (message: ChatMessage) => void,
): Promise<void> {
  let source = first
  for (let attempt = 0; attempt < ATTEMPTS && !signal.aborted; attempt++) {
    try {
      const answer = await (source ? source(signal) : api.follow(conversationId, signal))
      // Nothing is being written (any more), or a decision about another change is still missing.
      if (answer.status !== 200) return
      if (await readAnswer(answer, begun, show)) return
    } catch (error) {
      if (signal.aborted || error instanceof ChatError) throw error
    }
    source = undefined
    await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt))
  }
  if (!signal.aborted) throw new ChatError('unreachable', 'The answer cannot be read at the moment. Reload the page.')
}

const isOutside = (error: unknown) =>
  error instanceof ChatError && ['unauthenticated', 'forbidden_space'].includes(error.code)

const personMessage = ({ id, text }: { id: string; text: string }): ChatMessage => ({
  id,
  role: 'user',
  parts: [{ type: 'text', text }],
  metadata: {},
})

/** The newest messages as the server has them now, behind the older ones that were loaded. */
function merged(shown: readonly ChatMessage[], newest: readonly ChatMessage[]): readonly ChatMessage[] {
  const [first] = newest
  const start = shown.findIndex(({ id }) => id === first?.id)
  const older = start === -1 ? [] : shown.slice(0, start)
  // What did not change keeps its identity, so that it is not drawn again.
  const byId = new Map(shown.map((message) => [message.id, message]))
  return [
    ...older,
    ...newest.map((message) => {
      const known = byId.get(message.id)
      return known && isSame(known, message) ? known : message
    }),
  ]
}

const isSame = (a: ChatMessage, b: ChatMessage) =>
  a.parts.length === b.parts.length &&
  JSON.stringify(a.metadata) === JSON.stringify(b.metadata) &&
  a.parts.every((part, index) => JSON.stringify(part) === JSON.stringify(b.parts[index]))
