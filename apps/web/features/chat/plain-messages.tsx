import { textOf, type ChatMessage } from './chat-message.ts'

/** The newest messages as plain text, until the code that draws them has come. */
export function PlainMessages({ messages, isBusy }: { messages: readonly ChatMessage[]; isBusy: boolean }) {
  const last = messages.at(-1)
  return (
    <div className="min-h-0 flex-1 overflow-hidden">
      <div className="mx-auto w-full max-w-3xl px-4 pt-4 pb-6 sm:px-6">
        {messages.slice(-4).map((message) =>
          message.role === 'user' ? (
            <article key={message.id} aria-label="You" className="flex flex-col items-end py-3">
              <p
                dir="auto"
                className="max-w-[88%] rounded-2xl rounded-br-md bg-sunken px-4 py-2.5 text-[15px] leading-relaxed break-words whitespace-pre-wrap"
              >
                {textOf(message)}
              </p>
            </article>
          ) : (
            <p key={message.id} dir="auto" className="py-3 text-[15px] leading-relaxed break-words whitespace-pre-wrap">
              {textOf(message)}
            </p>
          ),
        )}
        {isBusy && last?.role === 'user' && <Thinking />}
      </div>
    </div>
  )
}

export const Thinking = () => (
  <p className="flex h-7 items-center gap-1.5">
    <span aria-hidden className="flex gap-1">
      {['', '[animation-delay:150ms]', '[animation-delay:300ms]'].map((delay) => (
        <span key={delay} className={`size-1.5 animate-pulse rounded-full bg-faint ${delay}`} />
      ))}
    </span>
    <span className="sr-only">Thinking</span>
  </p>
)
