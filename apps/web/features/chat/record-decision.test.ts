import { describe, expect, it } from 'vitest'
import type { ChatMessage, ToolPart } from './chat-message.ts'
import { recordDecision } from './record-decision.ts'

const call = (toolCallId: string, toolName: string, state: 'approval-requested' | 'input-available'): ToolPart =>
  ({
    type: 'dynamic-tool',
    toolCallId,
    toolName,
    state,
    input: { page_id: toolCallId, content: '  as stored\u202e ' },
    ...(state === 'approval-requested' && { approval: { id: `approval-${toolCallId}` } }),
  }) as ToolPart

const update = call('1', 'notion-update-page', 'approval-requested')
const sameTool = call('2', 'notion-update-page', 'approval-requested')
const otherTool = call('3', 'notion-move-pages', 'approval-requested')
const running = call('4', 'notion-update-page', 'input-available')
const message = {
  id: 'm',
  role: 'assistant',
  parts: [{ type: 'text', text: 'Shall I?' }, update, sameTool, otherTool, running],
  metadata: {},
} satisfies ChatMessage

/** The decisions about the calls 1 to 4; undefined for none. */
const decisionsIn = ({ parts }: ChatMessage) =>
  parts.slice(1).map((part) => {
    const { state, approval } = part as ToolPart
    return state === 'approval-responded' ? approval?.approved : undefined
  })

describe('a decision about a change', () => {
  it.each([true, false])('concerns the call with its id and no other: approved %s', (approved) => {
    const decided = recordDecision(message, { approvalId: 'approval-1', approved }, undefined)
    expect(decisionsIn(decided)).toEqual([approved, undefined, undefined, undefined])
  })

  it('approves the other calls of a tool that is always allowed, and of no other tool', () => {
    const decided = recordDecision(message, { approvalId: 'approval-1', approved: true }, 'notion-update-page')
    expect(decisionsIn(decided)).toEqual([true, true, undefined, undefined])
  })

  it('changes neither tools nor arguments, whatever comes with it', () => {
    const decision = { approvalId: 'approval-1', approved: true, input: { page_id: 'other' }, toolName: 'other' }
    const decided = recordDecision(message, decision, 'notion-update-page')
    const stored = (parts: ChatMessage['parts']) =>
      parts.slice(1).map((part) => {
        const { toolCallId, toolName, input } = part as ToolPart
        return { toolCallId, toolName, input }
      })
    expect(stored(decided.parts)).toEqual(stored(message.parts))
    expect(decided.parts[0]).toEqual(message.parts[0])
  })

  it('about an unknown call changes nothing', () => {
    expect(recordDecision(message, { approvalId: 'approval-9', approved: true }, undefined)).toEqual(message)
  })
})
