import { describe, expect, it } from 'vitest'
import { announcement } from './announcement.ts'
import type { FinishReason, ChatMessage } from './chat-message.ts'

const answer = (end: FinishReason, parts: ChatMessage['parts'] = []): ChatMessage => ({
  id: 'a',
  role: 'assistant',
  parts,
  metadata: { end },
})
const waiting: ChatMessage['parts'] = [
  {
    type: 'dynamic-tool',
    toolName: 't',
    toolCallId: 'c',
    state: 'approval-requested',
    input: {},
    approval: { id: 'x' },
  },
]

describe('the announcement of an answer', () => {
  it.each<[FinishReason, string]>([
    [{ kind: 'complete' }, 'The answer is ready.'],
    [{ kind: 'stopped' }, 'The answer was stopped.'],
    [{ kind: 'interrupted' }, 'The answer was interrupted.'],
    [{ kind: 'failed', code: 'model_refused', detail: 'x' }, 'The answer failed.'],
    [{ kind: 'step_limit', limit: 4 }, 'The answer paused at its step limit.'],
  ])('says how it ended: %j', (end, expected) => {
    expect(announcement([answer(end)], false, false)).toBe(expected)
  })

  it('says who decides about a change', () => {
    expect(announcement([answer({ kind: 'approval' }, waiting)], false, false)).toBe('A change needs your decision.')
    expect(announcement([answer({ kind: 'approval' }, waiting)], false, true)).toBe('A change needs a decision.')
  })

  it('is empty when nothing was answered', () => {
    expect(announcement([], false, false)).toBe('')
    expect(announcement([{ id: 'q', role: 'user', parts: [] }], false, false)).toBe('')
    expect(announcement([{ id: 'q', role: 'user', parts: [] }], true, false)).toBe('Answering')
  })
})
