import { z } from 'zod'
import { isAbove, newPage, resolveParent, touchPage, type ParentChoice } from '../../workspace/editing.ts'
import { findDatabase, findPage, pageUrl } from '../../workspace/pages.ts'
import { startTask } from '../../workspace/tasks.ts'
import { notFound, tool, ToolError } from '../tool.ts'

const NewParent = z.union([
  z.object({ page_id: z.string() }),
  z.object({ database_id: z.string() }),
  z.object({ data_source_id: z.string() }),
  z.object({ type: z.literal('workspace') }),
])

function choiceOf(parent: z.infer<typeof NewParent>): ParentChoice {
  return 'type' in parent ? { workspace: true } : parent
}

export const movePages = tool({
  name: 'move-pages',
  title: 'Move pages',
  kind: 'destructive',
  description: `
Moves pages or databases (at most 100) below another parent: a page, a database, one of its data sources, or the private section of
the connected user (\`{"type":"workspace"}\`). Everything below them moves along. Nothing moves when one of them cannot be moved.`,
  input: z.object({
    page_or_database_ids: z.array(z.string()).min(1).max(100).describe('IDs or URLs.'),
    new_parent: NewParent,
  }),
  run({ page_or_database_ids, new_parent }, { viewer }) {
    const parent = resolveParent(viewer, choiceOf(new_parent))
    const moved = page_or_database_ids.map((id) => {
      const item = findPage(viewer, id) ?? findDatabase(viewer, id)
      if (!item) throw notFound('page or database', id)
      if (isAbove(viewer, item.id, parent)) {
        throw new ToolError('validation_error', `${item.id} cannot be moved into itself.`)
      }
      return item
    })
    for (const item of moved) {
      item.parent = parent
      touchPage(viewer, item)
    }
    return { moved: moved.map(({ id }) => ({ id, url: pageUrl(viewer, id) })) }
  },
})

export const duplicatePage = tool({
  name: 'duplicate-page',
  title: 'Duplicate a page',
  kind: 'write',
  description: `
Makes a copy of a page beside it. The answer comes before the copy is filled: ask \`notion-get-async-task\` or fetch the copy after a
few seconds before you change it.`,
  input: z.object({ page_id: z.string().describe('ID or URL of the page.') }),
  run({ page_id }, { viewer }) {
    const original = findPage(viewer, page_id)
    if (!original) throw notFound('page', page_id)
    const copy = newPage(viewer, original.parent, original.title)
    const task = startTask(viewer, 'duplicate_page', () => {
      const { icon, cover, properties, content } = original
      Object.assign(copy, { icon, cover, properties: { ...properties }, content })
      return { page_id: copy.id }
    })
    return { page_id: copy.id, page_url: pageUrl(viewer, copy.id), task_id: task.id }
  },
})
