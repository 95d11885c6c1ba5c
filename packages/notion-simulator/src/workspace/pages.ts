import type { DataSource, Database, Page, Parent, User, Workspace } from './workspace.ts'
import { memberOf } from './workspace.ts'

/** The user, workspace and time of a tool call. */
export type Viewer = {
  workspace: Workspace
  user: User
  now: number
  /** The base of page URLs, which depends on the profile. */
  pageUrlBase: string
}

const bare = (id: string) => id.replaceAll('-', '')

export function pageUrl(viewer: Viewer, id: string): string {
  return `${viewer.pageUrlBase}${bare(id)}`
}

/**
 * Extracts an id: from a UUID with or without dashes, a page URL, or a URL of Notion's schemes. In lower case with dashes; undefined if there is
 * none.
 */
export function idIn(text: string): string | undefined {
  const hex = /([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})(?![0-9a-f])/i
  const path = /^https?:/i.test(text) ? (text.split(/[?#]/)[0] ?? '') : text
  const match = hex.exec(path)
  return match ? match.slice(1).join('-').toLowerCase() : undefined
}

/** True if the viewer may see children of this parent. Private sections are visible to their owner, teamspaces to their members. */
function seesParent(viewer: Viewer, parent: Parent): boolean {
  const { workspace, user } = viewer
  switch (parent.type) {
    case 'private':
      return parent.userId === user.id
    case 'teamspace':
      return workspace.teamspaces.some(({ id, memberIds }) => id === parent.id && memberIds.includes(user.id))
    case 'page': {
      const page = workspace.pages.get(parent.id)
      return page !== undefined && seesPage(viewer, page)
    }
    case 'data_source': {
      const source = workspace.dataSources.get(parent.id)
      const database = source && workspace.databases.get(source.databaseId)
      return database !== undefined && seesParent(viewer, database.parent)
    }
  }
}

export function seesPage(viewer: Viewer, page: Page): boolean {
  return page.sharedWith.includes(viewer.user.id) || seesParent(viewer, page.parent)
}

/** Finds a page; undefined if it does not exist or is not visible, which are indistinguishable. */
export function findPage(viewer: Viewer, id: string): Page | undefined {
  const page = viewer.workspace.pages.get(idIn(id) ?? '')
  return page && seesPage(viewer, page) ? page : undefined
}

export function findDatabase(viewer: Viewer, id: string): Database | undefined {
  const database = viewer.workspace.databases.get(idIn(id) ?? '')
  return database && seesParent(viewer, database.parent) ? database : undefined
}

/** Finds a data source by its id or URL (`collection://…`). */
export function findDataSource(viewer: Viewer, id: string): DataSource | undefined {
  const source = viewer.workspace.dataSources.get(idIn(id) ?? '')
  return source && !source.inTrash && findDatabase(viewer, source.databaseId) ? source : undefined
}

export function dataSourcesOf(workspace: Workspace, databaseId: string): DataSource[] {
  return [...workspace.dataSources.values()].filter((source) => source.databaseId === databaseId && !source.inTrash)
}

export function rowsOf(workspace: Workspace, dataSourceId: string): Page[] {
  return [...workspace.pages.values()].filter(
    ({ parent }) => parent.type === 'data_source' && parent.id === dataSourceId,
  )
}

export function childrenOf(workspace: Workspace, pageId: string): (Page | Database)[] {
  return [...workspace.pages.values(), ...workspace.databases.values()].filter(
    ({ parent }) => parent.type === 'page' && parent.id === pageId,
  )
}

/** All pages visible to the viewer, in no particular order. */
export function visiblePages(viewer: Viewer): Page[] {
  return [...viewer.workspace.pages.values()].filter((page) => seesPage(viewer, page))
}

/** The titles from the section to the parent, e.g. `Product / Meeting notes`. */
export function pathOf(viewer: Viewer, parent: Parent): string {
  return ancestors(viewer, parent)
    .map(({ title }) => title)
    .reverse()
    .join(' / ')
}

type Ancestor = { kind: 'page' | 'database' | 'data-source' | 'teamspace' | 'private'; id: string; title: string }

/** The ancestors, starting with the parent. */
function ancestors(viewer: Viewer, parent: Parent): Ancestor[] {
  const { workspace } = viewer
  switch (parent.type) {
    case 'private':
      return [{ kind: 'private', id: parent.userId, title: 'Private' }]
    case 'teamspace': {
      const teamspace = workspace.teamspaces.find(({ id }) => id === parent.id)
      return [{ kind: 'teamspace', id: parent.id, title: teamspace?.name ?? '' }]
    }
    case 'page': {
      const page = workspace.pages.get(parent.id)
      return page ? [{ kind: 'page', id: page.id, title: page.title }, ...ancestors(viewer, page.parent)] : []
    }
    case 'data_source': {
      const source = workspace.dataSources.get(parent.id)
      const database = source && workspace.databases.get(source.databaseId)
      if (!source || !database) return []
      return [
        { kind: 'data-source', id: source.id, title: source.name },
        { kind: 'database', id: database.id, title: database.title },
        ...ancestors(viewer, database.parent),
      ]
    }
  }
}

const escapeAttribute = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

/** The `<ancestor-path>` of a fetched page or database. */
export function renderAncestors(viewer: Viewer, parent: Parent): string {
  const lines = ancestors(viewer, parent).map(({ kind, id, title }, index) => {
    const prefix = index === 0 ? 'parent' : `ancestor-${index + 1}`
    const name = escapeAttribute(title)
    switch (kind) {
      case 'data-source':
        return `<${prefix}-data-source url="collection://${id}" name="${name}"/>`
      case 'teamspace':
        return `<${prefix}-teamspace url="teamspace://${id}" name="${name}"/>`
      case 'private':
        return `<${prefix}-private-section/>`
      case 'page':
      case 'database':
        return `<${prefix}-${kind} url="${pageUrl(viewer, id)}" title="${name}"/>`
    }
  })
  return `<ancestor-path>\n${lines.join('\n')}\n</ancestor-path>`
}

/** Longer content is truncated, with the ids of the omitted parts. */
export const MAX_CONTENT_CHARACTERS = 60_000

/** The result of `fetch` for a page. */
export function renderPage(viewer: Viewer, page: Page): Record<string, unknown> {
  const url = pageUrl(viewer, page.id)
  const truncated = page.content.length > MAX_CONTENT_CHARACTERS
  const content = truncated ? page.content.slice(0, MAX_CONTENT_CHARACTERS) : page.content
  const missing = Math.ceil((page.content.length - content.length) / 1_000)
  const body = content.trim()
    ? `<content>\n${content}\n</content>`
    : '<blank-page>This page is blank and has no content.</blank-page>'
  const verification = page.verification ? `<page-verification status="${page.verification.status}"/>\n` : ''
  return {
    metadata: { type: 'page' },
    title: page.title,
    url: `${url}?pvs=204`,
    cover: page.cover,
    icon: page.icon ? { type: 'emoji', emoji: page.icon } : null,
    path: pathOf(viewer, page.parent),
    page_last_edited_at: new Date(page.editedAt).toISOString(),
    text:
      `Here is the result of "fetch" for the Page with URL ${url} as of ${new Date(viewer.now).toISOString()}:\n` +
      `<page url="${url}">\n${renderAncestors(viewer, page.parent)}\n` +
      `<properties>\n${JSON.stringify({ ...page.properties, title: page.title })}\n</properties>\n` +
      `<iconMetadata>${page.icon ? JSON.stringify({ type: 'emoji', emoji: page.icon }) : 'null'}</iconMetadata>\n` +
      `${verification}${body}\n</page>`,
    ...(truncated && {
      truncated: true,
      unknown_block_ids: Array.from({ length: Math.min(missing, 50) }, (_, index) => missingBlockId(page.id, index)),
      unknown_block_count: missing,
    }),
  }
}

function missingBlockId(pageId: string, index: number): string {
  return `${pageId.slice(0, -4)}${(index + 1).toString(16).padStart(4, '0')}`
}

/** A date in the format of search results: `9 days ago (2026-09-28)`. */
export function ago(now: number, at: number): string {
  const day = new Date(at).toISOString().slice(0, 10)
  const days = Math.floor((now - at) / 86_400_000)
  if (days <= 0) return `today (${day})`
  return `${days === 1 ? '1 day' : `${days} days`} ago (${day})`
}

export function nameOf(workspace: Workspace, userId: string): string {
  return memberOf(workspace, userId)?.user.name ?? 'Unknown'
}
