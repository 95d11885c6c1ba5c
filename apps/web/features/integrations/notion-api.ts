import { AuthorizationStart, DisconnectReceipt, Problem, type WorkspaceChangeDecision } from '@nmg/contract'
import type { z } from 'zod'
import '../../components/zod-without-eval.ts'
import { ApiError } from './api-error.ts'
import { NotionAnswer } from './connection-answer.ts'
import { HistoryAnswer, type HistoryKind } from './history-answer.ts'

async function call<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  init: RequestInit,
): Promise<z.infer<Schema>> {
  let answer: Response
  let body: unknown
  try {
    answer = await fetch(path, init)
    body = await answer.json().catch(() => undefined)
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new ApiError('app_unreachable', 'This app does not answer. Check your connection; it tries again by itself.')
  }
  if (!answer.ok) {
    const problem = Problem.safeParse(body).data
    throw new ApiError(
      problem?.code ?? 'internal',
      problem?.detail ?? 'Something went wrong here. Try again in a moment.',
    )
  }
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw new ApiError('internal', 'The answer is not understood. Reload the page.')
  return parsed.data
}

const ofSpace = (spaceId: string) => `/api/notion?${new URLSearchParams({ spaceId })}`

export const readConnection = (spaceId: string, signal: AbortSignal) => call(ofSpace(spaceId), NotionAnswer, { signal })

export const readHistory = (spaceId: string, kind: HistoryKind, before: number | undefined, signal: AbortSignal) =>
  call(
    `/api/notion/history?${new URLSearchParams({ spaceId, kind, ...(before === undefined ? {} : { before: String(before) }) })}`,
    HistoryAnswer,
    { signal },
  )

export const deleteConnection = (spaceId: string) => call(ofSpace(spaceId), DisconnectReceipt, { method: 'DELETE' })

export const settleWorkspace = (spaceId: string, decision: WorkspaceChangeDecision) =>
  call('/api/notion/waiting', NotionAnswer, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ spaceId, ...decision }),
  })

export const startAuthorization = (spaceId: string, signal: AbortSignal) =>
  call('/api/notion/oauth/start', AuthorizationStart, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ spaceId }),
    signal,
  })
