'use client'

import { BookOpen, FilePlus2, ListChecks, Search, type LucideIcon } from 'lucide-react'
import { Notice } from '@/components/ui/notice.tsx'
import { useChat } from './chat-context.tsx'

interface Suggestion {
  readonly icon: LucideIcon
  readonly text: string
}

/** What the scripted model does with the pages of the simulation. */
const demoSuggestions: readonly Suggestion[] = [
  { icon: Search, text: 'Find the launch plan' },
  { icon: BookOpen, text: 'Summarize the product roadmap' },
  { icon: FilePlus2, text: 'Create a page “Ideas for the next release”' },
  { icon: ListChecks, text: 'Add “Call the printer” to the launch plan' },
]

/** Prompt beginnings for the user to complete, because their pages are unknown. */
const beginnings: readonly Suggestion[] = [
  { icon: Search, text: 'Find pages about ' },
  { icon: BookOpen, text: 'Summarize the page ' },
  { icon: FilePlus2, text: 'Create a page called ' },
  { icon: ListChecks, text: 'Add a to-do to the page ' },
]

/** What a conversation shows before its first message. */
export function EmptyChat({
  onAsk,
  onBegin,
}: {
  onAsk: (text: string) => void
  /** Puts the beginning of a message into the field. */
  onBegin: (text: string) => void
}) {
  const { models, isSimulated } = useChat()
  const [model] = models
  const isDemo = isSimulated && model?.isScripted === true
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex min-h-full w-full max-w-3xl flex-col justify-center px-4 py-10 sm:px-6">
        <h1 className="text-2xl font-semibold tracking-tight text-balance">What would you like to know?</h1>
        <p className="mt-1.5 text-[15px] text-pretty text-soft">
          Ask in your own words. Notion is searched and read right away; changes wait for your approval.
        </p>
        {model ? (
          <ul aria-label="Suggestions" className="mt-7 grid gap-2 sm:grid-cols-2">
            {(isDemo ? demoSuggestions : beginnings).map(({ icon: Icon, text }) => (
              <li key={text}>
                <button
                  type="button"
                  onClick={() => (isDemo ? onAsk(text) : onBegin(text))}
                  className="flex h-full w-full items-center gap-3 rounded-xl border border-line bg-surface px-4 py-3 text-left text-sm hover:border-line-strong hover:bg-sunken"
                >
                  <Icon aria-hidden className="size-4 shrink-0 text-soft" />
                  {isDemo ? text : `${text.trim()}…`}
                </button>
              </li>
            ))}
          </ul>
        ) : (
          <Notice tone="info" title="No model is configured" className="mt-7">
            <p>
              Ask your administrator to set <code className="font-mono text-[0.92em]">CHAT_MODEL</code>, for example{' '}
              <code className="font-mono text-[0.92em]">openai/gpt-5</code> with{' '}
              <code className="font-mono text-[0.92em]">CHAT_API_KEY</code>, or any name with{' '}
              <code className="font-mono text-[0.92em]">CHAT_BASE_URL</code>. Tools, the connection and other clients
              work without it.
            </p>
          </Notice>
        )}
        {model?.isScripted && (
          <p className="mt-5 text-[13px] text-pretty text-soft">
            <strong className="font-semibold text-ink">Scripted demo model.</strong> Answers follow a script. Calls to
            the simulated Notion, and the changes they make there, are real.
          </p>
        )}
      </div>
    </div>
  )
}
