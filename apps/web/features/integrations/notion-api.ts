import { AuthorizationStart, DisconnectReceipt, type WorkspaceChangeDecision } from '@nmg/contract'
import { readApi } from '@/lib/api-client.ts'
import { NotionAnswer } from './connection-answer.ts'
import { HistoryAnswer, type HistoryKind } from './history-answer.ts'

const ofSpace = (spaceId: string) => `/api/notion?${new URLSearchParams({ spaceId })}`

export const readConnection = (spaceId: string, signal: AbortSignal) =>
  readApi(ofSpace(spaceId), NotionAnswer, { signal })

export const readHistory = (spaceId: string, kind: HistoryKind, before: number | undefined, signal?: AbortSignal) =>
  readApi(
    `/api/notion/history?${new URLSearchParams({ spaceId, kind, ...(before === undefined ? {} : { before: String(before) }) })}`,
    HistoryAnswer,
    { signal },
  )

export const deleteConnection = (spaceId: string) => readApi(ofSpace(spaceId), DisconnectReceipt, { method: 'DELETE' })

export const settleWorkspace = (spaceId: string, decision: WorkspaceChangeDecision) =>
  readApi('/api/notion/waiting', NotionAnswer, { method: 'POST', body: { spaceId, ...decision } })

export const startAuthorization = (spaceId: string, signal?: AbortSignal) =>
  readApi('/api/notion/oauth/start', AuthorizationStart, { method: 'POST', body: { spaceId }, signal })
