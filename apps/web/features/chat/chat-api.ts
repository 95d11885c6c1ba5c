import { applyChunk } from './apply-chunk.ts'
import type { ChatChunk, ChatMessage } from './chat-message.ts'
import type { ConversationPage, ConversationSummary, MessagePage, Visibility } from './conversation.ts'
import type { OpenedConversation } from './opened-conversation.ts'

/** The app refused, or does not answer; the message is a sentence for the person. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

interface Problem {
  readonly code?: unknown
  readonly detail?: unknown
}

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(path, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new ChatError('unreachable', 'Can’t reach the app. Check your connection and try again.')
  }
  if (answer.ok) return answer
  const { code, detail } = (await answer.json().catch(() => ({}))) as Problem // Members are checked before they are used.
  throw new ChatError(
    typeof code === 'string' ? code : 'internal',
    typeof detail === 'string' ? detail : 'Something went wrong on our end. Try again in a moment.',
  )
}

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

// The answers come from this app's own server, of the same build: their types are the server's.
const read = async <T>(answer: Promise<Response>): Promise<T> => (await (await answer).json()) as T

/** The chat of one space, over HTTP. All of it throws {@link ChatError}. */
export function chatApi(spaceId: string) {
  const base = `/api/spaces/${spaceId}`
  const at = (id: string) => `${base}/conversations/${id}`
  return {
    list: (query: { before?: string; search?: string }, signal?: AbortSignal) =>
      read<ConversationPage>(send(`${base}/conversations?${new URLSearchParams(query)}`, signal ? { signal } : {})),
    /** The conversation as it is now; undefined while `known` is its newest version. */
    open: async (id: string, known?: string) => {
      const response = await send(`${at(id)}${known === undefined ? '' : `?${new URLSearchParams({ known })}`}`)
      return response.status === 204 ? undefined : read<OpenedConversation>(Promise.resolve(response))
    },
    older: (id: string, before: number) => read<MessagePage<ChatMessage>>(send(`${at(id)}/messages?before=${before}`)),
    change: (id: string, change: { title?: string; visibility?: Visibility }) =>
      read<ConversationSummary>(send(at(id), json('PATCH', change))),
    remove: async (id: string) => void (await send(at(id), { method: 'DELETE' })),
    stop: async (id: string) => void (await send(`${at(id)}/stop`, { method: 'POST' })),
    turn: (turn: Turn, signal: AbortSignal) => send(`${base}/chat`, { ...json('POST', turn), signal }),
    follow: (id: string, signal: AbortSignal) => send(`${at(id)}/stream`, { signal }),
  }
}

export type ChatApi = ReturnType<typeof chatApi>

/** A message of the person. Its id is chosen here, so that it can be sent again without arriving twice. */
export interface NewMessage {
  readonly id: string
  readonly text: string
}

/** What a person does; see the server's `Turn`. */
export type Turn = { readonly conversationId: string } & (
  | { readonly type: 'ask'; readonly message: NewMessage; readonly model?: string }
  | { readonly type: 'edit'; readonly messageId: string; readonly message: NewMessage; readonly model?: string }
  | { readonly type: 'regenerate'; readonly model?: string }
  | { readonly type: 'decide'; readonly approvalId: string; readonly approved: boolean; readonly always: boolean }
)

/** How often the page shows what has arrived: about as often as an eye can follow. */
const SHOW_MS = 50

/**
 * Reads an answer's stream into a message and shows its state again and again. Whether it was read to its end, which it says itself.
 */
export async function readAnswer(
  answer: Response,
  begun: (id: string) => ChatMessage | undefined,
  show: (message: ChatMessage) => void,
): Promise<boolean> {
  if (!answer.body) return false
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let message: ChatMessage = { id: '', role: 'assistant', parts: [], metadata: {} }
  let rest = ''
  let isWhole = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const showNow = () => {
    timer = undefined
    show(message)
  }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return isWhole
      const events = (rest + value).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        if (event === 'data: [DONE]') isWhole = true
        else if (event.startsWith('data: ')) {
          const chunk = JSON.parse(event.slice(6)) as ChatChunk // Our own server's, see above.
          // An answer that goes on after a decision begins with what there was.
          if (chunk.type === 'start') message = begun(chunk.messageId ?? '') ?? message
          message = applyChunk(message, chunk)
        }
      }
      timer ??= setTimeout(showNow, SHOW_MS)
    }
  } finally {
    clearTimeout(timer)
    if (message.id) showNow()
  }
}
