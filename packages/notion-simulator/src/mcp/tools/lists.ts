import { z } from 'zod'
import { findPage, pageUrl, visiblePages, type Viewer } from '../../workspace/pages.ts'
import type { Page } from '../../workspace/workspace.ts'
import { tool, type Tool } from '../tool.ts'
import { offsetFrom } from './paging.ts'

function listTool(kind: string, title: string, description: string, pages: (viewer: Viewer) => Page[]): Tool {
  return tool({
    name: `list-${kind}-pages`,
    title,
    kind: 'read',
    description: `${description} With \`nextCursor\`, ask again with \`cursor\` set to it.`,
    input: z.object({
      limit: z.number().int().min(1).max(200).optional().describe('Default 50.'),
      cursor: z.string().optional(),
    }),
    run({ limit = 50, cursor }, { viewer }) {
      const all = pages(viewer)
      const offset = offsetFrom(cursor)
      const end = offset + limit
      return {
        results: all.slice(offset, end).map(({ id, title: name, icon }) => ({
          type: 'page',
          url: pageUrl(viewer, id),
          title: name,
          icon,
        })),
        ...(end < all.length && { nextCursor: `offset:${end}` }),
      }
    },
  })
}

const byId = (viewer: Viewer, ids: readonly string[] = []) => ids.flatMap((id) => findPage(viewer, id) ?? [])

const newestFirst = (pages: Page[]) => pages.sort((a, b) => b.editedAt - a.editedAt)

export const listTools: readonly Tool[] = [
  listTool(
    'recent',
    'List recently visited pages',
    'Lists the pages that the connected user looked at last.',
    (viewer) => byId(viewer, viewer.workspace.visited.get(viewer.user.id)),
  ),
  listTool(
    'favorite',
    'List favorite pages',
    'Lists the favorites of the connected user, as in the sidebar.',
    (viewer) => byId(viewer, viewer.workspace.favorites.get(viewer.user.id)),
  ),
  listTool('private', 'List private pages', 'Lists the pages in the private section of the connected user.', (viewer) =>
    newestFirst(
      visiblePages(viewer).filter(({ parent }) => parent.type === 'private' && parent.userId === viewer.user.id),
    ),
  ),
  listTool(
    'shared',
    'List shared pages',
    'Lists pages of other people that are shared with the connected user.',
    (viewer) => newestFirst(visiblePages(viewer).filter(({ sharedWith }) => sharedWith.includes(viewer.user.id))),
  ),
]
