import { isToolPart, pendingApprovals, type FinishReason, type ChatMessage } from './chat-message.ts'
import { toolWords } from './tool-words.ts'

/** Announcement of a finished run for screen readers. */
const ends: Record<FinishReason['kind'], string> = {
  complete: 'The answer is ready.',
  approval: 'A change needs your decision.',
  stopped: 'The answer was stopped.',
  step_limit: 'The answer paused at its step limit.',
  length: 'The answer paused at the model’s length limit.',
  filtered: 'The model’s provider withheld the rest of the answer.',
  interrupted: 'The answer was interrupted.',
  failed: 'The answer failed.',
}

/** Current activity in a conversation, as one sentence for screen readers. Empty without any. */
export function announcement(messages: readonly ChatMessage[], isBusy: boolean, isReader: boolean): string {
  const last = messages.at(-1)
  if (isBusy) {
    const running = last?.parts.findLast(isToolPart)
    return running?.state === 'input-available' ? toolWords(running, () => undefined).doing : 'Answering'
  }
  if (last?.role !== 'assistant') return ''
  if (pendingApprovals(last).length > 0) return isReader ? 'A change needs a decision.' : ends.approval
  const kind = last.metadata?.end?.kind ?? 'complete'
  return ends[kind === 'approval' ? 'complete' : kind]
}
