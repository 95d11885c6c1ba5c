import { isToolPart, type FinishReason, type ChatMessage, type ChatPart, type TokenUse } from './chat-message.ts'

/** The message to store: all parts settled, with the finish reason. */
export function finishMessage(message: ChatMessage, end: FinishReason, tokens?: TokenUse): ChatMessage {
  return {
    ...message,
    parts: message.parts.map(settledPart),
    metadata: { ...message.metadata, end, ...(tokens && { tokens: addTokens(message.metadata?.tokens, tokens) }) },
  }
}

export const addTokens = (known: TokenUse | undefined, more: TokenUse): TokenUse => ({
  input: (known?.input ?? 0) + more.input,
  output: (known?.output ?? 0) + more.output,
})

function settledPart(part: ChatPart): ChatPart {
  if ((part.type === 'text' || part.type === 'reasoning') && part.state === 'streaming')
    return { ...part, state: 'done' }
  if (!isToolPart(part)) return part
  const { type, toolName, toolCallId, title, input } = part
  const basics = { type, toolName, toolCallId, input: input as unknown, ...(title === undefined ? {} : { title }) }
  switch (part.state) {
    case 'input-streaming':
      return { ...basics, input: {}, state: 'output-error', errorText: 'Stopped before the call was sent.' }
    case 'input-available':
      return { ...basics, state: 'output-error', errorText: BROKEN_OFF }
    case 'approval-responded':
      if (!part.approval.approved)
        return { ...basics, state: 'output-denied', approval: { ...part.approval, approved: false } }
      return { ...basics, state: 'output-error', errorText: BROKEN_OFF, approval: { ...part.approval, approved: true } }
    case 'approval-requested':
    case 'output-available':
    case 'output-error':
    case 'output-denied':
      return part
  }
}

const BROKEN_OFF = 'Interrupted before a result arrived. Notion may have applied it; check before retrying.'

/** Continuing without a decision counts as a denial. */
export function denyPending(message: ChatMessage): ChatMessage {
  return {
    ...message,
    parts: message.parts.map((part) =>
      isToolPart(part) && part.state === 'approval-requested'
        ? {
            type: part.type,
            toolName: part.toolName,
            toolCallId: part.toolCallId,
            input: part.input as unknown,
            ...(part.title === undefined ? {} : { title: part.title }),
            state: 'output-denied',
            approval: { id: part.approval.id, approved: false, reason: 'The user continued without deciding.' },
          }
        : part,
    ),
  }
}
