'use client'

import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { ApiError, isOutside, messageOf, UNREACHABLE } from '@/lib/api-client.ts'
import { chatApi, type ChatApi } from './chat-api.ts'
import type { ChatMessage } from './chat-message.ts'
import type { ConversationSummary, OpenedConversation } from './conversation.ts'
import { readRunStream } from './read-run-stream.ts'
import type { NewMessage, RunRequest } from './start-run.ts'

export type Phase = 'idle' | 'sending' | 'answering'

export interface ConversationControl {
  readonly messages: readonly ChatMessage[]
  /** Undefined while nothing was asked yet. */
  readonly summary: ConversationSummary | undefined
  readonly phase: Phase
  /** Why the last action failed. */
  readonly trouble: string | undefined
  readonly hasOlder: boolean
  loadOlder(): Promise<void>
  ask(message: NewMessage): void
  edit(messageId: string, message: NewMessage): void
  regenerate(): void
  decide(approvalId: string, approved: boolean, always: boolean): void
  stop(): void
  setSummary(summary: ConversationSummary): void
}

interface Options {
  readonly spaceId: string
  readonly conversationId: string
  readonly initial: OpenedConversation | undefined
  /** Messages that another page of this conversation has streamed so far. */
  readonly carried: readonly ChatMessage[] | undefined
  readonly model: string | undefined
  /** The conversation is new, or something about it changed that lists show. */
  readonly onChange: () => void
  /** The message arrived. */
  readonly onDelivered: (messageId: string) => void
  /** The message did not arrive, or its arrival is unknown. */
  readonly onUndelivered: (messageId: string) => void
  /** Signed out, or no longer a member: only the server knows where to go from here. */
  readonly onOutside: () => void
}

/** How often a stream that broke off is picked up again, before the page gives up. */
const ATTEMPTS = 5

/** Poll interval of a visible page for changes from another tab or the owner. */
const LOOK_MS = 2_000

export function useConversation(options: Options): ConversationControl {
  const { spaceId, conversationId, initial, carried, model, onChange, onDelivered, onUndelivered, onOutside } = options
  const api = useMemo(() => chatApi(spaceId), [spaceId])
  const [messages, setMessages] = useState<readonly ChatMessage[]>(
    (initial?.isAnswering ? carried : undefined) ?? initial?.messages ?? [],
  )
  const [before, setBefore] = useState(initial?.before)
  const [summary, setSummary] = useState(initial?.conversation)
  const [phase, setPhase] = useState<Phase>(initial?.isAnswering ? 'answering' : 'idle')
  const [trouble, setTrouble] = useState<string>()
  const reading = useRef<AbortController>(undefined)
  const version = useRef(initial?.version)
  /** Counts runs: responses to requests from before the newest run are stale. */
  const runs = useRef(0)
  const shownNow = useRef(messages)
  useEffect(() => {
    shownNow.current = messages
  }, [messages])
  /** As the server stored them: what a stream begins from, however much of it was read before. */
  const stored = useRef(initial?.messages ?? [])

  /** Shows the assistant message: appended, or replacing its previous state. */
  const show = useCallback((answer: ChatMessage) => {
    setMessages((shown) => [...shown.filter(({ id }) => id !== answer.id), answer])
  }, [])

  /** Shows remote changes. Returns true if a run is active. */
  const refresh = useCallback(async (): Promise<boolean> => {
    const run = runs.current
    const opened = await api.open(conversationId, version.current)
    if (!opened || run !== runs.current) return false
    version.current = opened.version
    stored.current = opened.messages
    // Where nothing of what is shown is left, older messages begin elsewhere.
    if (!shownNow.current.some(({ id }) => id === opened.messages[0]?.id)) setBefore(opened.before)
    setMessages((shown) => merged(shown, opened.messages))
    setSummary(opened.conversation)
    for (const { id, role } of opened.messages) if (role === 'user') onDelivered(id)
    return opened.isAnswering
  }, [api, conversationId, onDelivered])

  const report = useCallback(
    (error: unknown) => {
      if (isOutside(error)) return onOutside()
      setTrouble(messageOf(error))
    },
    [onOutside],
  )

  /** Reads a run to its end and resumes after connection loss. */
  const follow = useCallback(
    async (take?: Take) => {
      reading.current?.abort()
      const attempt = new AbortController()
      reading.current = attempt
      const { signal } = attempt
      const begun = (id: string) => stored.current.find((message) => message.id === id)
      let isTaken = take === undefined
      const first =
        take &&
        (async () => {
          const response = await take.send(signal)
          isTaken = true
          take.onTaken()
          return response
        })
      try {
        await readToEnd(api, conversationId, first, signal, begun, (message) => {
          if (signal.aborted) return
          setPhase('answering')
          show(message)
        })
        if (signal.aborted) return
        // The next message can be sent at once. A page that knows the conversation looks at what was stored by itself.
        setPhase('idle')
        onChange()
        if (version.current === undefined) await refresh()
      } catch (error) {
        if (signal.aborted) return
        if (!isTaken) take?.onRefused()
        setPhase('idle')
        report(error)
      }
    },
    [api, conversationId, onChange, refresh, report, show],
  )

  useEffect(() => {
    // After the page is shown: what is there of the answer comes with the stream.
    const timer = initial?.isAnswering ? setTimeout(() => void follow()) : undefined
    return () => clearTimeout(timer)
  }, [follow, initial])
  useEffect(() => () => reading.current?.abort(), [])

  // The conversation may go on elsewhere; and the router shows pages of its memory, which may be older.
  const isStored = summary !== undefined
  useEffect(() => {
    if (!isStored || phase !== 'idle') return
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async () => {
      clearTimeout(timer)
      if (isOver) return
      if (document.visibilityState === 'visible') {
        try {
          const isAnswering = await refresh()
          // A newer run shows its own message.
          if (isOver) return
          if (isAnswering) {
            setPhase('answering')
            void follow()
            return
          }
        } catch (error) {
          if (isOver) return
          if (isOutside(error)) return onOutside()
          if (error instanceof ApiError && error.code === 'not_found') {
            setTrouble('This conversation was deleted, or is no longer shared with you.')
            return
          }
          // Whatever else it is may be over at the next look.
        }
      }
      timer = setTimeout(() => void look(), LOOK_MS)
    }
    const onVisible = () => void look()
    document.addEventListener('visibilitychange', onVisible)
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [follow, isStored, onOutside, phase, refresh])

  /** Starts a run; when the server refuses it, the messages are shown as they were. */
  const take = (run: RunRequest, messageId?: string) => {
    const shown = messages
    runs.current += 1
    setTrouble(undefined)
    setPhase('sending')
    void follow({
      send: (signal) => api.startRun(run, signal),
      onTaken: () => {
        if (messageId !== undefined) onDelivered(messageId)
        onChange()
      },
      onRefused: () => {
        setMessages(shown)
        if (messageId !== undefined) onUndelivered(messageId)
      },
    })
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
    ask(message) {
      show(userMessage(message))
      take({ type: 'ask', conversationId, message, ...withModel }, message.id)
    },
    edit(messageId, message) {
      const index = messages.findIndex(({ id }) => id === messageId)
      setMessages([...messages.slice(0, index), userMessage(message)])
      take({ type: 'edit', conversationId, messageId, message, ...withModel }, message.id)
    },
    regenerate() {
      setMessages(messages.filter((message, index) => index < messages.length - 1 || message.role === 'user'))
      take({ type: 'regenerate', conversationId, ...withModel })
    },
    decide: (approvalId, approved, always) => take({ type: 'decide', conversationId, approvalId, approved, always }),
    stop: () => void api.stop(conversationId).catch(() => setTrouble('Couldn’t stop the answer. Try again.')),
    setSummary,
  }
}

interface Take {
  send(signal: AbortSignal): Promise<Response>
  onTaken(): void
  onRefused(): void
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
      // No active run, or another change still awaits a decision.
      if (answer.status !== 200) return
      if (await readRunStream(answer, begun, show)) return
    } catch (error) {
      if (signal.aborted || error instanceof ApiError) throw error
    }
    source = undefined
    await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt))
  }
  if (!signal.aborted) throw new ApiError(UNREACHABLE, 'Lost the connection to the answer. Reload the page to see it.')
}

const userMessage = ({ id, text }: { id: string; text: string }): ChatMessage => ({
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
