import 'server-only'
import { History, type HistoryEvent } from '@nmg/contract'
import { askGateway } from '@/lib/gateway.ts'
import { userNames, type SpaceMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import type { HistoryResponse, HistoryKind } from './history-response.ts'

/** Events on one page of the history. */
const PAGE = 20

/** Batch size and maximum number of batches when filtering for rare events among many renewals. */
const BATCH = 100
const MOST_BATCHES = 5

const types: Record<HistoryKind, HistoryEvent['type'] | undefined> = {
  all: undefined,
  authorized: 'NotionIntegrationAuthorized',
  renewed: 'NotionIntegrationTokenRefreshed',
  refused: 'NotionIntegrationAuthorizationFailed',
  disconnected: 'NotionIntegrationDisconnected',
}

/** Events of the space's connection, newest first; optionally of one kind and before a version. */
export async function connectionHistory(
  app: App<'pool' | 'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  { kind, before }: { kind: HistoryKind; before: number | undefined },
): Promise<HistoryResponse> {
  const wanted = types[kind]
  const found: HistoryEvent[] = []
  let next = before
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const history = await readHistory(app, member, next, wanted ? BATCH : PAGE)
    if (!history) return { events: [] }
    found.push(...history.events.filter(({ type }) => !wanted || type === wanted))
    next = history.nextBefore
    if (next === undefined || found.length >= PAGE) break
  }
  const events = found.slice(0, PAGE)
  // Events beyond the page are read again with the next cursor.
  const nextBefore = found.length > PAGE ? events.at(-1)?.version : next
  const names = await userNames(
    app,
    events.flatMap(({ by, confirmedBy }) => [by ?? [], confirmedBy ?? []].flat()),
  )
  return {
    events: events.map((event) => {
      const byName = event.by && names.get(event.by)
      const confirmedByName = event.confirmedBy && names.get(event.confirmedBy)
      return { ...event, ...(byName && { byName }), ...(confirmedByName && { confirmedByName }) }
    }),
    ...(nextBefore === undefined ? {} : { nextBefore }),
  }
}

function readHistory(
  app: App<'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  before: number | undefined,
  limit: number,
): Promise<History | null> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(before === undefined ? {} : { before: String(before) }),
  })
  return askGateway(app, member, `/integrations/notion/${encodeURIComponent(member.space.id)}/events?${query}`, History)
}
