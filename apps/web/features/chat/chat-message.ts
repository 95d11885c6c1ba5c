import type { DynamicToolUIPart, UIMessage, UIMessageChunk } from 'ai'

/** Failure codes of a run, by the part that failed. */
export const runFailureCodes = [
  'model_refused',
  'model_rate_limited',
  'model_unavailable',
  'notion_rate_limited',
  'not_connected',
  'reconnect_required',
  'notion_unavailable',
  'notion_refused',
  'outcome_unknown',
  'gateway_unavailable',
  'no_access',
  'internal',
] as const
export type RunFailureCode = (typeof runFailureCodes)[number]

/** Finish reason of a run. */
export type FinishReason =
  | { readonly kind: 'complete' }
  /** It waits until a user has decided about a change. */
  | { readonly kind: 'approval' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'step_limit'; readonly limit: number }
  /** The model reached its own limit of length. */
  | { readonly kind: 'length' }
  | { readonly kind: 'filtered' }
  /** The process that wrote it ended. */
  | { readonly kind: 'interrupted' }
  /** `detail` is a sentence for the user; `until` (ISO 8601) is when trying again makes sense. */
  | { readonly kind: 'failed'; readonly code: RunFailureCode; readonly detail: string; readonly until?: string }

export type RunFailure = Extract<FinishReason, { kind: 'failed' }>

/** Token usage of all steps of a run, as reported by the model. */
export interface TokenUse {
  readonly input: number
  readonly output: number
}

/** Metadata of an assistant message; absent for user messages. */
export interface ChatMetadata {
  readonly model?: string
  readonly end?: FinishReason
  readonly tokens?: TokenUse
}

export type ChatMessage = UIMessage<ChatMetadata>
export type ChatPart = ChatMessage['parts'][number]
export type ChatChunk = UIMessageChunk<ChatMetadata>
/** Notion's tools are known only when they are listed, so all of them are what the AI SDK calls dynamic. */
export type ToolPart = DynamicToolUIPart

/** The version of our conventions that messages are stored in. */
export const MESSAGE_FORMAT = 1

/** The longest message of a user, in UTF-16 code units. In JSON each takes six bytes at most, which must fit into a request body. */
export const LONGEST_MESSAGE = 100_000

export const isToolPart = (part: ChatPart): part is ToolPart => part.type === 'dynamic-tool'

export const textOf = (message: Pick<ChatMessage, 'parts'>): string =>
  message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')

export const pendingApprovals = (message: ChatMessage | undefined): ToolPart[] =>
  (message?.parts ?? []).filter(isToolPart).filter((part) => part.state === 'approval-requested')

export const stepsOf = (message: Pick<ChatMessage, 'parts'>): number =>
  message.parts.filter((part) => part.type === 'step-start').length
