import { EventSourceParserStream } from 'eventsource-parser/stream'
import { applyChunk } from './apply-chunk.ts'
import type { ChatChunk, ChatMessage } from './chat-message.ts'

/** How often the page shows what has arrived: about as often as an eye can follow. */
const SHOW_MS = 50

/**
 * Reads a run's event stream into a message and shows each state.
 *
 * @param begun what there was of the message before this stream.
 * @returns whether the stream was read to its end, which it says itself.
 */
export async function readRunStream(
  response: Response,
  begun: (id: string) => ChatMessage | undefined,
  show: (message: ChatMessage) => void,
): Promise<boolean> {
  if (!response.body) return false
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  const reader = events.getReader()
  let message: ChatMessage = { id: '', role: 'assistant', parts: [], metadata: {} }
  let timer: ReturnType<typeof setTimeout> | undefined
  const showNow = () => {
    timer = undefined
    show(message)
  }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return false
      if (value.data === '[DONE]') return true
      const chunk = JSON.parse(value.data) as ChatChunk // Kinds of chunks that are not known are ignored.
      // A run that continues after a decision starts with the existing parts.
      if (chunk.type === 'start') message = begun(chunk.messageId ?? '') ?? message
      message = applyChunk(message, chunk)
      timer ??= setTimeout(showNow, SHOW_MS)
    }
  } finally {
    clearTimeout(timer)
    if (message.id) showNow()
  }
}
