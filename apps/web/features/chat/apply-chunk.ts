import type { ChatChunk, ChatMessage, ChatPart, ToolPart } from './chat-message.ts'

/**
 * The message after one more chunk of its stream. Server and browser build messages with this same function. It copies only the part
 * that changes, because a message may hold results of some hundred kilobytes while its text arrives in thousands of pieces.
 */
export function applyChunk(message: ChatMessage, chunk: ChatChunk): ChatMessage {
  switch (chunk.type) {
    case 'start':
      return {
        ...message,
        id: chunk.messageId ?? message.id,
        metadata: { ...message.metadata, ...chunk.messageMetadata },
      }
    case 'message-metadata':
    case 'finish':
      return { ...message, metadata: { ...message.metadata, ...chunk.messageMetadata } }
    case 'start-step':
      return withPart(message, { type: 'step-start' })
    case 'reset-step':
      return { ...message, parts: message.parts.slice(0, message.parts.findLastIndex(isStepStart) + 1) }
    case 'text-start':
      return withPart(message, { type: 'text', text: '', state: 'streaming', ...provider(chunk) })
    case 'reasoning-start':
      return withPart(message, { type: 'reasoning', text: '', state: 'streaming', ...provider(chunk) })
    case 'text-delta':
      return changeLast(message, 'text', (part) => ({ ...part, text: part.text + chunk.delta, ...provider(chunk) }))
    case 'reasoning-delta':
      return changeLast(message, 'reasoning', (part) => ({
        ...part,
        text: part.text + chunk.delta,
        ...provider(chunk),
      }))
    case 'text-end':
      return changeLast(message, 'text', (part) => ({ ...part, state: 'done', ...provider(chunk) }))
    case 'reasoning-end':
      return changeLast(message, 'reasoning', (part) => ({ ...part, state: 'done', ...provider(chunk) }))
    case 'tool-input-start':
      return withPart(message, {
        type: 'dynamic-tool',
        toolName: chunk.toolName,
        toolCallId: chunk.toolCallId,
        ...(chunk.title === undefined ? {} : { title: chunk.title }),
        state: 'input-streaming',
        input: undefined,
      })
    case 'tool-input-available':
      return setTool(message, chunk.toolCallId, (known) => ({
        ...toolBasics(chunk, known),
        state: 'input-available',
        input: chunk.input,
      }))
    case 'tool-input-error':
      return setTool(message, chunk.toolCallId, (known) => ({
        ...toolBasics(chunk, known),
        state: 'output-error',
        input: chunk.input,
        errorText: chunk.errorText,
      }))
    case 'tool-approval-request':
      return setTool(message, chunk.toolCallId, (known) => {
        if (!known || chunk.isAutomatic) return known
        return { ...settled(known), state: 'approval-requested', approval: { id: chunk.approvalId } }
      })
    case 'tool-output-available':
      return setTool(
        message,
        chunk.toolCallId,
        (known) => known && { ...settled(known), ...approved(known), state: 'output-available', output: chunk.output },
      )
    case 'tool-output-error':
      return setTool(
        message,
        chunk.toolCallId,
        (known) =>
          known && { ...settled(known), ...approved(known), state: 'output-error', errorText: chunk.errorText },
      )
    case 'tool-output-denied':
      return setTool(
        message,
        chunk.toolCallId,
        (known) =>
          known && {
            ...settled(known),
            state: 'output-denied',
            approval: { ...known.approval, id: known.approval?.id ?? '', approved: false },
          },
      )
    default:
      // Sources, files and whatever else a provider may add: the chat shows nothing of it.
      return message
  }
}

const isStepStart = (part: ChatPart) => part.type === 'step-start'

const withPart = (message: ChatMessage, part: ChatPart): ChatMessage => ({
  ...message,
  parts: [...message.parts, part],
})

type PartOf<Type extends ChatPart['type']> = Extract<ChatPart, { type: Type }>

/** Providers write one text after the other; the piece belongs to the last. */
function changeLast<Type extends 'text' | 'reasoning'>(
  message: ChatMessage,
  type: Type,
  change: (part: PartOf<Type>) => ChatPart,
): ChatMessage {
  const index = message.parts.findLastIndex((part) => part.type === type)
  const part = message.parts[index]
  if (!part) return message
  return { ...message, parts: message.parts.with(index, change(part as PartOf<Type>)) } // Found by this type.
}

function setTool(
  message: ChatMessage,
  toolCallId: string,
  change: (part: ToolPart | undefined) => ToolPart | undefined,
): ChatMessage {
  const index = message.parts.findIndex((part) => part.type === 'dynamic-tool' && part.toolCallId === toolCallId)
  const changed = change(message.parts[index] as ToolPart | undefined) // Found by this type, or not found.
  if (!changed) return message
  return index === -1 ? withPart(message, changed) : { ...message, parts: message.parts.with(index, changed) }
}

type ToolInputChunk = Extract<ChatChunk, { type: 'tool-input-available' | 'tool-input-error' }>

function toolBasics(chunk: ToolInputChunk, known: ToolPart | undefined) {
  const title = chunk.title ?? known?.title
  return {
    type: 'dynamic-tool',
    toolName: chunk.toolName,
    toolCallId: chunk.toolCallId,
    ...(title === undefined ? {} : { title }),
    // Some providers refuse a history without what they attached to their calls.
    ...(chunk.providerMetadata === undefined ? {} : { callProviderMetadata: chunk.providerMetadata }),
  } as const
}

/** What a call keeps from state to state. */
function settled({ toolName, toolCallId, title, input, callProviderMetadata }: ToolPart) {
  return {
    type: 'dynamic-tool',
    toolName,
    toolCallId,
    input: input as unknown,
    ...(title === undefined ? {} : { title }),
    ...(callProviderMetadata === undefined ? {} : { callProviderMetadata }),
  } as const
}

const approved = ({ approval }: ToolPart) => (approval ? { approval: { ...approval, approved: true as const } } : {})

const provider = ({ providerMetadata }: { providerMetadata?: PartOf<'text'>['providerMetadata'] }) =>
  providerMetadata === undefined ? {} : { providerMetadata }
