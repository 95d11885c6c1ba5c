import * as z from 'zod/mini'
import { callApi, readApi, requestApi } from '@/lib/api-client.ts'
import {
  ConversationPage,
  ConversationSummary,
  MessagePage,
  OpenedConversation,
  type Visibility,
} from './conversation.ts'

/** The chat of one space, over HTTP. All of it throws {@link ApiError}. */
export function chatApi(spaceId: string) {
  const base = `/api/spaces/${spaceId}`
  const at = (id: string) => `${base}/conversations/${id}`
  return {
    list: (query: { before?: string; search?: string }, signal?: AbortSignal) =>
      readApi(`${base}/conversations?${new URLSearchParams(query)}`, ConversationPage, { signal }),
    /** The conversation as it is now; undefined while `known` is its newest version. */
    open: (id: string, known?: string) =>
      readApi(
        `${at(id)}${known === undefined ? '' : `?${new URLSearchParams({ known })}`}`,
        z.optional(OpenedConversation),
      ),
    older: (id: string, before: number) => readApi(`${at(id)}/messages?before=${before}`, MessagePage),
    change: (id: string, change: { title?: string; visibility?: Visibility }) =>
      readApi(at(id), ConversationSummary, { method: 'PATCH', body: change }),
    remove: (id: string) => callApi(at(id), { method: 'DELETE' }),
    stop: (id: string) => callApi(`${at(id)}/stop`, { method: 'POST' }),
    turn: (turn: Turn, signal: AbortSignal) => requestApi(`${base}/chat`, { method: 'POST', body: turn, signal }),
    follow: (id: string, signal: AbortSignal) => requestApi(`${at(id)}/stream`, { signal }),
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
