import { ago, idIn, pageUrl, pathOf, visiblePages, type Viewer } from './pages.ts'
import type { Database, Page, Parent } from './workspace.ts'

export type SearchFilters = {
  created_date_range?: DateRange | undefined
  last_edited_date_range?: DateRange | undefined
  created_by_user_ids?: string[] | undefined
  edited_by_user_ids?: string[] | undefined
  teamspace_ids?: string[] | undefined
  title_only?: boolean | undefined
  content_status?: 'all_with_archived' | 'all_without_archived' | 'verified_only' | 'archived_only' | undefined
}
export type DateRange = { start_date?: string | undefined; end_date?: string | undefined }

export type SearchRequest = {
  query: string
  filters?: SearchFilters | undefined
  sort?: 'relevance' | 'last_edited' | 'created' | undefined
  pageSize: number
  maxHighlightLength: number
  /** Restricts the search to this page, teamspace or data source. */
  below?: string | undefined
}

/** Splits text into words. The search is lexical; words in titles have ten times the weight. */
function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

function score(query: readonly string[], title: string, content: string): number {
  const inTitle = words(title)
  const inContent = words(content)
  let total = 0
  for (const word of query) {
    const hits =
      10 * inTitle.filter((other) => other.startsWith(word)).length +
      Math.min(5, inContent.filter((other) => other.startsWith(word)).length)
    if (hits === 0) total -= 3
    total += hits
  }
  return total
}

function highlight(content: string, query: readonly string[], length: number): string {
  if (length === 0) return ''
  const text = content
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const lower = text.toLowerCase()
  const first = query.map((word) => lower.indexOf(word)).filter((index) => index >= 0)
  const start = Math.max(0, Math.min(...(first.length ? first : [0])) - Math.floor(length / 4))
  return text.slice(start, start + length)
}

function within(at: number, range: DateRange | undefined): boolean {
  const day = new Date(at).toISOString().slice(0, 10)
  return !range || ((!range.start_date || day >= range.start_date) && (!range.end_date || day <= range.end_date))
}

function isBelow(viewer: Viewer, parent: Parent, id: string): boolean {
  const { workspace } = viewer
  if (parent.type === 'private') return false
  if (parent.id === id) return true
  if (parent.type === 'teamspace') return false
  if (parent.type === 'page') {
    const page = workspace.pages.get(parent.id)
    return page !== undefined && isBelow(viewer, page.parent, id)
  }
  const database = workspace.databases.get(workspace.dataSources.get(parent.id)?.databaseId ?? '')
  return database !== undefined && (database.id === id || isBelow(viewer, database.parent, id))
}

type Found = Page | Database

const isPage = (found: Found): found is Page => 'content' in found

/** The results of `search`: at most `pageSize`, without a cursor. */
export function search(viewer: Viewer, request: SearchRequest): Record<string, unknown> {
  const query = words(request.query)
  const filters = request.filters ?? {}
  const below = request.below === undefined ? undefined : (idIn(request.below) ?? '')
  const databases = [...viewer.workspace.databases.values()].filter(
    ({ parent }) => parent.type !== 'private' || parent.userId === viewer.user.id,
  )
  const found = [...visiblePages(viewer), ...databases]
    .filter((item) => passes(viewer, item, filters))
    .filter((item) => below === undefined || isBelow(viewer, item.parent, below))
    .map((item) => ({
      item,
      score: score(query, item.title, isPage(item) && !filters.title_only ? item.content : ''),
    }))
    .filter((result) => result.score > 0 || query.length === 0)
    .sort((a, b) => {
      if (request.sort === 'last_edited') return b.item.editedAt - a.item.editedAt
      if (request.sort === 'created') return b.item.createdAt - a.item.createdAt
      return b.score - a.score || b.item.editedAt - a.item.editedAt
    })
    .slice(0, request.pageSize)

  return {
    results: found.map(({ item }) => ({
      id: item.id,
      title: item.title,
      url: pageUrl(viewer, item.id),
      type: isPage(item) ? 'page' : 'database',
      highlight: isPage(item) ? highlight(item.content, query, request.maxHighlightLength) : item.description,
      timestamp: ago(viewer.now, item.editedAt),
      path: pathOf(viewer, item.parent),
    })),
    type: 'workspace_search',
    notices: [],
  }
}

function passes(viewer: Viewer, item: Found, filters: SearchFilters): boolean {
  const page = isPage(item) ? item : undefined
  const archived = page?.archived ?? false
  const status = filters.content_status ?? 'all_without_archived'
  if (status === 'all_without_archived' && archived) return false
  if (status === 'archived_only' && !archived) return false
  if (status === 'verified_only' && page?.verification?.status !== 'verified') return false
  if (!within(item.createdAt, filters.created_date_range)) return false
  if (!within(item.editedAt, filters.last_edited_date_range)) return false
  if (filters.edited_by_user_ids && !filters.edited_by_user_ids.includes(item.editedBy)) return false
  if (filters.created_by_user_ids && !(page && filters.created_by_user_ids.includes(page.createdBy))) return false
  return !filters.teamspace_ids || filters.teamspace_ids.some((id) => isBelow(viewer, item.parent, idIn(id) ?? ''))
}

/** The `user_search` of the same tool: members whose name or email contains the query. */
export function searchUsers(viewer: Viewer, query: string, pageSize: number): Record<string, unknown> {
  const text = query.toLowerCase()
  const results = viewer.workspace.members
    .map(({ user }) => user)
    .filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(text))
    .slice(0, pageSize)
    .map(({ id, name, email }) => ({ id, title: name, url: `user://${id}`, type: 'user', highlight: email }))
  return { results, type: 'user_search', notices: [] }
}
