import * as z from 'zod/mini'
import { callApi, readApi, requestApi } from '@/lib/api-client.ts'
import {
  ConversationPage,
  ConversationSummary,
  MessagePage,
  OpenedConversation,
  type Visibility,
} from './conversation.ts'
import type { RunRequest } from './start-run.ts'

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
    startRun: (run: RunRequest, signal: AbortSignal) =>
      requestApi(`${base}/chat`, { method: 'POST', body: run, signal }),
    follow: (id: string, signal: AbortSignal) => requestApi(`${at(id)}/stream`, { signal }),
  }
}

export type ChatApi = ReturnType<typeof chatApi>
