import { isToolPart, type ChatMessage } from './chat-message.ts'

/**
 * The message with a decision about one of its calls. What the calls would do stays as the server stored it.
 *
 * @param alwaysAllowed a tool whose other calls of the message are approved as well.
 */
export function recordDecision(
  message: ChatMessage,
  { approvalId, approved }: { approvalId: string; approved: boolean },
  alwaysAllowed: string | undefined,
): ChatMessage {
  return {
    ...message,
    parts: message.parts.map((part) => {
      if (!isToolPart(part) || part.state !== 'approval-requested') return part
      const isMeant = part.approval.id === approvalId
      if (!isMeant && part.toolName !== alwaysAllowed) return part
      const isApproved = isMeant ? approved : true
      return {
        ...part,
        state: 'approval-responded',
        approval: {
          id: part.approval.id,
          approved: isApproved,
          ...(isApproved ? {} : { reason: 'The user denied this change.' }),
        },
      }
    }),
  }
}
