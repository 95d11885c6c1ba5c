import 'server-only'
import type { PoolClient } from 'pg'
import { z } from 'zod'
import type { ChatModel } from '@/lib/chat-models.ts'
import type { SpaceMember } from '@/lib/membership.ts'
import { Failure } from '@/lib/failure.ts'
import type { App } from '@/lib/runtime.ts'
import { activeRun, insertRun, type ActiveRun } from './run-store.ts'
import { LONGEST_MESSAGE, pendingApprovals, type ChatMessage } from './chat-message.ts'
import {
  allowAlways,
  changingMessages,
  chooseModel,
  hasMessage,
  openConversation,
  ownConversation,
  putMessage,
  recentMessages,
  removeMessagesFrom,
  type Conversation,
} from './conversation-store.ts'
import { denyPending } from './finish-message.ts'
import { recordDecision } from './record-decision.ts'
import { startTitle } from './start-title.ts'
import { executeRun, type RunTask, type ChatApp } from './execute-run.ts'

/** A message of the user. The browser chooses its id, so that it can be sent again without arriving twice. */
const NewMessage = z.object({ id: z.uuid(), text: z.string().trim().min(1).max(LONGEST_MESSAGE) })
export type NewMessage = z.infer<typeof NewMessage>
const model = z.string().optional()

/**
 * What a user can do in a conversation to get an answer. Nothing of the history comes from the browser: what was said, which calls were
 * made and what they would change is what the server stored.
 */
export const RunRequest = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ask'), conversationId: z.uuid(), message: NewMessage, model }),
  /** Replaces an earlier message; later messages are deleted. */
  z.object({ type: z.literal('edit'), conversationId: z.uuid(), messageId: z.string(), message: NewMessage, model }),
  z.object({ type: z.literal('regenerate'), conversationId: z.uuid(), model }),
  /** Whether a change may be made: this once, or from now on for all calls of the tool in this conversation. */
  z.object({
    type: z.literal('decide'),
    conversationId: z.uuid(),
    approvalId: z.string(),
    approved: z.boolean(),
    always: z.boolean().default(false),
  }),
])
export type RunRequest = z.infer<typeof RunRequest>

/** Outcome of a request for a run. */
export type StartedRun =
  | { readonly kind: 'answering'; readonly run: ActiveRun }
  /** Other changes still have to be decided about. */
  | { readonly kind: 'undecided' }
  /** The message was sent before, and its run is complete. */
  | { readonly kind: 'answered' }

/**
 * Stores what the user did and begins the answer. A message whose id is stored already is not stored again: a browser that lost the
 * connection, or its session, cannot know whether the message arrived.
 *
 * @throws {Failure} `restarting` while the process ends.
 */
export async function startRun(app: ChatApp, member: SpaceMember, request: RunRequest): Promise<StartedRun> {
  if (app.activeStreams.isClosing) {
    throw new Failure('restarting', 'The app is restarting. Try again in a moment.')
  }
  const conversation =
    request.type === 'ask'
      ? await openConversation(app, member, request.conversationId, startTitle(request.message.text))
      : await ownConversation(app, member, request.conversationId)
  const choice = chosenModel(app, ('model' in request && request.model) || conversation.model)
  // Ends an abandoned run, which would block this one.
  await activeRun(app, conversation.id)

  const task = await changingMessages(app, conversation.id, async (client) => {
    const isKnown = 'message' in request && (await hasMessage(client, conversation.id, request.message.id))
    return isKnown ? 'known' : prepare(client, member, conversation, choice, request)
  })
  if (task === 'known') {
    const run = await activeRun(app, conversation.id)
    return run ? { kind: 'answering', run } : { kind: 'answered' }
  }
  if (!task) return { kind: 'undecided' }
  await chooseModel(app, conversation.id, choice.id)
  executeRun(app, task)
  return { kind: 'answering', run: { id: task.id, messageId: task.message.id } }
}

/** @throws {Failure} `no_model` */
function chosenModel({ chatModels }: App<'chatModels'>, id: string | null | undefined): ChatModel {
  // A model that is no longer offered falls back to the default.
  const found = chatModels.find((offered) => offered.id === id) ?? chatModels[0]
  if (!found) throw new Failure('no_model', 'No model is configured. Ask your administrator to set CHAT_MODEL.')
  return found
}

async function prepare(
  client: PoolClient,
  member: SpaceMember,
  conversation: Conversation,
  choice: ChatModel,
  request: RunRequest,
): Promise<RunTask | undefined> {
  const known = await recentMessages(client, conversation.id)
  const last = known.at(-1)
  const put = (position: number, message: ChatMessage) => putMessage(client, conversation.id, position, message)

  const begin = async (
    history: readonly ChatMessage[],
    message: ChatMessage,
    position: number,
    alwaysAllowed = conversation.alwaysAllowed,
  ): Promise<RunTask> => {
    const id = crypto.randomUUID()
    await insertRun(client, {
      id,
      conversationId: conversation.id,
      messageId: message.id,
      userId: member.user.id,
    })
    const isFirst = history.filter(({ role }) => role === 'user').length === 1 && position === 1
    return { id, member, conversation: { ...conversation, alwaysAllowed }, choice, history, message, position, isFirst }
  }
  const emptyMessage = (): ChatMessage => ({ id: crypto.randomUUID(), role: 'assistant', parts: [], metadata: {} })

  switch (request.type) {
    case 'ask': {
      const settled = known.map(({ message }) => denyPending(message))
      const undecided = settled.at(-1)
      if (last && undecided && pendingApprovals(last.message).length > 0) await put(last.position, undecided)
      const question = userMessage(request.message)
      const position = (last?.position ?? -1) + 1
      await put(position, question)
      return begin([...settled, question], emptyMessage(), position + 1)
    }
    case 'edit': {
      const index = known.findIndex(({ message }) => message.id === request.messageId && message.role === 'user')
      const edited = known[index]
      if (!edited) {
        throw new Failure('not_found', 'This message can’t be edited. It doesn’t exist or is too far back.')
      }
      await removeMessagesFrom(client, conversation.id, edited.position)
      const question = userMessage(request.message)
      await put(edited.position, question)
      const before = known.slice(0, index).map(({ message }) => message)
      return begin([...before, question], emptyMessage(), edited.position + 1)
    }
    case 'regenerate': {
      if (last?.message.role === 'assistant') await removeMessagesFrom(client, conversation.id, last.position)
      const before = known.filter(({ message }) => message !== last?.message || message.role === 'user')
      const question = before.at(-1)
      if (question?.message.role !== 'user') throw new Failure('not_found', 'There’s no message to answer.')
      return begin(
        before.map(({ message }) => message),
        emptyMessage(),
        question.position + 1,
      )
    }
    case 'decide': {
      const asked = last && pendingApprovals(last.message).find((part) => part.approval?.id === request.approvalId)
      if (!last || !asked) {
        throw new Failure('nothing_to_decide', 'This change no longer waits for a decision.')
      }
      const isAlways = request.approved && request.always
      if (isAlways) await allowAlways(client, conversation.id, asked.toolName)
      const decided = recordDecision(last.message, request, isAlways ? asked.toolName : undefined)
      await put(last.position, decided)
      if (pendingApprovals(decided).length > 0) return undefined
      const history = known.map(({ message }) => (message === last.message ? decided : message))
      const alwaysAllowed = isAlways ? [...conversation.alwaysAllowed, asked.toolName] : conversation.alwaysAllowed
      return begin(history, decided, last.position, alwaysAllowed)
    }
  }
}

const userMessage = ({ id, text }: NewMessage): ChatMessage => ({
  id,
  role: 'user',
  parts: [{ type: 'text', text }],
  metadata: {},
})
