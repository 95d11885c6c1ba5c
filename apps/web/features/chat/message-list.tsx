'use client'

import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown } from 'lucide-react'
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import { Button } from '@/components/ui/button.tsx'
import type { ChatMessage } from './chat-message.ts'
import { MessageView, NOTHING_EARLIER, type MessageActions } from './message-view.tsx'
import { Thinking } from './plain-messages.tsx'

interface MessageListProps {
  readonly messages: readonly ChatMessage[]
  readonly isBusy: boolean
  readonly actions: MessageActions | undefined
  readonly hasOlder: boolean
  readonly loadOlder: () => Promise<void>
}

/** From so many messages on, only those near the window are in the document. */
const MANY = 60

/** Distance from the end, in pixels, within which the list follows new content. */
const NEAR_END_PX = 80

/** How far from its end a list offers to go there. */
const FAR_FROM_END_PX = 240

const columnStyle = 'mx-auto w-full max-w-3xl px-4 sm:px-6'

export function MessageList(props: MessageListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const { messages, hasOlder, loadOlder } = props
  const [isLoading, setLoading] = useState(false)
  const load = async () => {
    if (isLoading || !hasOlder) return
    setLoading(true)
    await loadOlder().catch(() => undefined)
    setLoading(false)
  }
  const [isFar, setFar] = useState(false)
  const measure = () => {
    const outer = scroller.current
    if (outer) setFar(outer.scrollHeight - outer.scrollTop - outer.clientHeight > FAR_FROM_END_PX)
  }
  useEffect(measure, [messages])
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        role="region"
        aria-label="Messages"
        tabIndex={0}
        className="min-h-0 flex-1 overflow-y-auto overscroll-contain outline-offset-[-2px]"
        onScroll={(event) => {
          measure()
          if (event.currentTarget.scrollTop < 400) void load()
        }}
      >
        {messages.length > MANY ? (
          <ManyMessages {...props} scroller={scroller} />
        ) : (
          <FewMessages {...props} scroller={scroller} onLoad={load} />
        )}
      </div>
      {isFar && (
        <Button
          look="secondary"
          size="icon"
          aria-label="Jump to the latest message"
          className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-card"
          onClick={() => scroller.current?.scrollTo(0, scroller.current.scrollHeight)}
        >
          <ArrowDown aria-hidden />
        </Button>
      )}
    </div>
  )
}

interface ListProps extends MessageListProps {
  readonly scroller: RefObject<HTMLDivElement | null>
}

function useRows({ messages, isBusy, actions }: MessageListProps) {
  const last = messages.at(-1)
  const isWaiting = isBusy && last?.role === 'user'
  const row = (message: ChatMessage) => {
    const isLast = message === last
    return (
      <MessageView
        message={message}
        isLast={isLast}
        isWriting={isBusy && isLast && message.role === 'assistant'}
        actions={isBusy ? undefined : actions}
        earlier={isLast ? messages.slice(0, -1) : NOTHING_EARLIER}
      />
    )
  }
  return { row, isWaiting }
}

function FewMessages({ scroller, onLoad, ...props }: ListProps & { onLoad: () => Promise<void> }) {
  const content = useRef<HTMLDivElement>(null)
  const { row, isWaiting } = useRows(props)
  useFollowedEnd(scroller, content, props.messages.findLast(({ role }) => role === 'user')?.id)
  return (
    <div ref={content} className={`${columnStyle} pt-4 pb-6`}>
      {props.hasOlder && (
        <button
          type="button"
          className="mx-auto mb-2 block h-9 rounded-lg px-3 text-[13px] font-medium text-soft hover:bg-sunken hover:text-ink"
          onClick={() => void onLoad()}
        >
          Show earlier messages
        </button>
      )}
      {props.messages.map((message) => (
        <div key={message.id}>{row(message)}</div>
      ))}
      {isWaiting && <WaitingRow />}
    </div>
  )
}

const WaitingRow = () => (
  <div className="pt-3 pb-11">
    <Thinking />
  </div>
)

/** Keeps the end in view while it grows, unless the user scrolled away from it. What they sent brings them back. */
function useFollowedEnd(
  scroller: RefObject<HTMLDivElement | null>,
  content: RefObject<HTMLDivElement | null>,
  lastSent: string | undefined,
): void {
  const isAtEnd = useRef(true)
  useLayoutEffect(() => {
    isAtEnd.current = true
    scroller.current?.scrollTo(0, scroller.current.scrollHeight)
  }, [scroller, lastSent])
  useEffect(() => {
    const outer = scroller.current
    const inner = content.current
    if (!outer || !inner) return
    const onScroll = () => {
      isAtEnd.current = outer.scrollHeight - outer.scrollTop - outer.clientHeight < NEAR_END_PX
    }
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) outer.scrollTo(0, outer.scrollHeight)
    })
    observer.observe(inner)
    observer.observe(outer)
    outer.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      observer.disconnect()
      outer.removeEventListener('scroll', onScroll)
    }
  }, [scroller, content])
}

function ManyMessages({ scroller, ...props }: ListProps) {
  const { messages } = props
  const { row, isWaiting } = useRows(props)
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtualizer = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 160,
    getItemKey: (index) => messages[index]?.id ?? index,
    overscan: 4,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: NEAR_END_PX,
    paddingStart: 16,
    paddingEnd: isWaiting ? 96 : 24,
  })
  const isPlaced = useRef(false)
  useLayoutEffect(() => {
    if (isPlaced.current) return
    isPlaced.current = true
    // They were few until older ones came: what was at the top stays there. The page holds at most so many at first.
    virtualizer.scrollToIndex(Math.max(0, messages.length - 40), { align: 'start' })
  }, [messages.length, virtualizer])
  return (
    <div className={columnStyle}>
      <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ key, index, start }) => {
          const message = messages[index]
          return (
            message && (
              <div
                key={key}
                data-index={index}
                ref={virtualizer.measureElement}
                className="absolute top-0 left-0 w-full"
                style={{ transform: `translateY(${start}px)` }}
              >
                {row(message)}
              </div>
            )
          )
        })}
      </div>
      {isWaiting && <WaitingRow />}
    </div>
  )
}
