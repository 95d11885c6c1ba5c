import { AuthorizationStart, DisconnectReceipt, type WorkspaceChangeDecision } from '@nmg/contract'
import { readApi } from '@/lib/api-client.ts'
import { ConnectionResponse } from './connection-response.ts'
import { HistoryResponse, type HistoryKind } from './history-response.ts'

const ofSpace = (spaceId: string) => `/api/notion?${new URLSearchParams({ spaceId })}`

export const readConnection = (spaceId: string, signal: AbortSignal) =>
  readApi(ofSpace(spaceId), ConnectionResponse, { signal })

export const readHistory = (spaceId: string, kind: HistoryKind, before: number | undefined, signal?: AbortSignal) =>
  readApi(
    `/api/notion/history?${new URLSearchParams({ spaceId, kind, ...(before === undefined ? {} : { before: String(before) }) })}`,
    HistoryResponse,
    { signal },
  )

export const deleteConnection = (spaceId: string) => readApi(ofSpace(spaceId), DisconnectReceipt, { method: 'DELETE' })

export const confirmWorkspaceChange = (spaceId: string, decision: WorkspaceChangeDecision) =>
  readApi('/api/notion/waiting', ConnectionResponse, { method: 'POST', body: { spaceId, ...decision } })

export const startAuthorization = (spaceId: string, signal?: AbortSignal) =>
  readApi('/api/notion/oauth/start', AuthorizationStart, { method: 'POST', body: { spaceId }, signal })
