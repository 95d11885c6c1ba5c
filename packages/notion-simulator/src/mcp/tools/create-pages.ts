import { z } from 'zod'
import { checkedProperties, newPage, resolveParent, dataSourceOf } from '../../workspace/editing.ts'
import { pageUrl, type Viewer } from '../../workspace/pages.ts'
import { renderTask, startTask } from '../../workspace/tasks.ts'
import type { DataSource, Page, Parent } from '../../workspace/workspace.ts'
import { tool, ToolError } from '../tool.ts'

const Properties = z.record(z.string(), z.string().or(z.number()).or(z.null()))

const NewPage = z.object({
  properties: Properties.optional().describe('Values by property name. Outside a database only "title".'),
  content: z.string().optional().describe('The content in enhanced Markdown, without the title.'),
  template_id: z.string().optional().describe('A template of the data source; not together with content.'),
  icon: z.string().optional().describe('An emoji, the URL of an image, or "none".'),
  cover: z.string().optional().describe('The URL of an image, or "none".'),
  is_skill: z.boolean().optional().describe('Makes the page a skill.'),
  preserve_internal_links: z.boolean().optional(),
})
type NewPage = z.infer<typeof NewPage>

const Parents = z
  .union([
    z.object({ page_id: z.string(), type: z.literal('page_id').optional() }),
    z.object({ database_id: z.string(), type: z.literal('database_id').optional() }),
    z.object({ data_source_id: z.string(), type: z.literal('data_source_id').optional() }),
    z.object({ teamspace_id: z.string(), type: z.literal('teamspace_id').optional() }),
  ])
  .describe('Where the pages are put. Without it they become private pages of the connected user.')

export const createPages = tool({
  name: 'create-pages',
  title: 'Create pages',
  kind: 'write',
  description: `
Creates one or more pages (at most 100), with properties and content, all below the same parent.

Before writing, read \`notion://docs/enhanced-markdown-spec\` once for the content format. To create rows of a database, fetch the
database first, take the id of the data source (\`collection://…\`) and its property names from there, and give it as
\`data_source_id\`. \`database_id\` works only for a database with a single data source.

Values: text and options as strings, numbers as numbers, checkboxes as \`__YES__\` or \`__NO__\`, dates in three parts
(\`date:Due:start\`, \`date:Due:end\`, \`date:Due:is_datetime\`), places as \`place:<Property>:…\`, people as a JSON array of
\`user://\` URLs. A property that is itself called "id" or "url" is written \`userDefined:id\`, \`userDefined:url\`.

With \`allow_async\` a large request may be answered at once with a task; ask \`notion-get-async-task\` how it went.`,
  input: z.object({
    pages: z.array(NewPage).min(1).max(100),
    parent: Parents.optional(),
    creation_mode: z.literal('draft').optional().describe('Creates drafts; not together with parent.'),
    allow_async: z.boolean().optional(),
  }),
  run({ pages, parent, creation_mode, allow_async }, { viewer }) {
    if (parent && creation_mode) throw new ToolError('validation_error', 'creation_mode cannot be used with parent.')
    const target = resolveParent(viewer, parent ?? { workspace: true })
    const source = target.type === 'data_source' ? viewer.workspace.dataSources.get(target.id) : undefined
    // Validate everything first, so that a rejected call creates nothing.
    const plans = pages.map((page) => planPage(page, source))
    const create = () => ({ pages: plans.map((plan) => createPage(viewer, target, plan)) })
    if (!allow_async) return create()
    return renderTask(startTask(viewer, 'create_pages', create), viewer.now)
  },
})

type Plan = { page: NewPage; checked: ReturnType<typeof checkedProperties>; content: string }

function planPage(page: NewPage, source: DataSource | undefined): Plan {
  if (page.template_id !== undefined && page.content) {
    throw new ToolError('validation_error', 'content cannot be used with template_id.')
  }
  const template = source?.templates.find(({ id }) => id === page.template_id)
  if (page.template_id !== undefined && !template) {
    throw new ToolError('validation_error', `Template ${page.template_id} does not belong to this data source.`)
  }
  const checked = checkedProperties(page.properties ?? {}, source)
  return { page, checked, content: template?.content ?? page.content ?? '' }
}

function createPage(viewer: Viewer, target: Parent, { page, checked, content }: Plan): Record<string, unknown> {
  const made = newPage(viewer, target, checked.title ?? '')
  made.properties = checked.properties
  made.content = content.trim()
  made.isSkill = page.is_skill ?? false
  decorate(made, page)
  const title = dataSourceOf(viewer, made) ? { ...checked.properties, title: made.title } : { title: made.title }
  return { id: made.id, url: pageUrl(viewer, made.id), properties: title }
}

/** Sets icon and cover; `none` removes them. */
export function decorate(page: Page, { icon, cover }: { icon?: string | undefined; cover?: string | undefined }): void {
  if (icon !== undefined) page.icon = icon === 'none' ? null : icon
  if (cover !== undefined) page.cover = cover === 'none' ? null : cover
}
