import { z } from 'zod'
import { DAY } from '../../clock.ts'
import { checkedProperties, dataSourceOf, editableContent, storeContent, touchPage } from '../../workspace/editing.ts'
import { findPage, idIn, type Viewer } from '../../workspace/pages.ts'
import { renderTask, startTask } from '../../workspace/tasks.ts'
import type { Page } from '../../workspace/workspace.ts'
import { notFound, tool, ToolError } from '../tool.ts'
import { decorate } from './create-pages.ts'

const Input = z.object({
  page_id: z.string().describe('ID or URL of the page.'),
  command: z.enum([
    'update_properties',
    'update_content',
    'replace_content',
    'insert_content',
    'apply_template',
    'update_verification',
  ]),
  properties: z
    .record(z.string(), z.string().or(z.number()).or(z.null()))
    .optional()
    .describe('For update_properties: new values; null empties. What is not named stays.'),
  new_str: z.string().optional().describe('For replace_content: the whole new content.'),
  content: z.string().optional().describe('For insert_content: what is inserted.'),
  content_updates: z
    .array(
      z.object({
        old_str: z.string().min(1).describe('Text that occurs exactly once, unless all matches are replaced.'),
        new_str: z.string(),
        replace_all_matches: z.boolean().optional(),
      }),
    )
    .max(100)
    .optional()
    .describe('For update_content: replacements, made in order.'),
  position: z
    .object({ type: z.enum(['start', 'end']) })
    .optional()
    .describe('For insert_content; default end.'),
  allow_deleting_content: z
    .boolean()
    .optional()
    .describe('Allows a content change to move child pages and databases to the trash.'),
  template_id: z.string().optional(),
  verification_status: z.enum(['verified', 'unverified']).optional(),
  verification_expiry_days: z.number().int().min(1).optional(),
  icon: z.string().optional(),
  cover: z.string().optional(),
  is_skill: z.boolean().optional(),
  allow_async: z.boolean().optional(),
})
type Input = z.infer<typeof Input>

type Warning = { code: string; message: string }

export const updatePage = tool({
  name: 'update-page',
  title: 'Update a page',
  kind: 'destructive',
  description: `
Changes the properties or the content of one page.

- \`update_properties\`: sets \`properties\`; values are written as in \`notion-create-pages\`.
- \`update_content\`: each of \`content_updates\` replaces \`old_str\` by \`new_str\`. \`old_str\` has to match the fetched content
  character by character and exactly once, unless \`replace_all_matches\` is set. Fetch the page first.
- \`replace_content\`: \`new_str\` becomes the whole content.
- \`insert_content\`: \`content\` is put at the \`position\`, start or end.
- \`apply_template\`: appends the content of \`template_id\`.
- \`update_verification\`: marks the page \`verified\`, perhaps for \`verification_expiry_days\`, or \`unverified\`.

Child pages and databases are lines of the content (\`<page url=…>\`, \`<database url=…>\`). A change that would remove such a line is
refused unless \`allow_deleting_content\` is true. Ask the user before you set it.`,
  input: Input,
  run(input, { viewer }) {
    const page = findPage(viewer, input.page_id)
    if (!page) throw notFound('page', input.page_id)
    const apply = () => {
      const warnings = applyChanges(viewer, page, input)
      decorate(page, input)
      if (input.is_skill !== undefined) page.isSkill = input.is_skill
      touchPage(viewer, page)
      return { page_id: page.id, warnings }
    }
    return input.allow_async ? renderTask(startTask(viewer, 'update_page', apply), viewer.now) : apply()
  },
})

function applyChanges(viewer: Viewer, page: Page, input: Input): Warning[] {
  const mayDelete = input.allow_deleting_content ?? false
  switch (input.command) {
    case 'update_properties': {
      const { title, properties } = checkedProperties(needed(input, 'properties'), dataSourceOf(viewer, page))
      if (title !== undefined) page.title = title
      Object.assign(page.properties, properties)
      return []
    }
    case 'update_content': {
      const edited = needed(input, 'content_updates').reduce(replaceText, editableContent(viewer, page))
      storeContent(viewer, page, edited, mayDelete)
      return []
    }
    case 'replace_content':
      storeContent(viewer, page, needed(input, 'new_str'), mayDelete)
      return []
    case 'insert_content': {
      const parts = [page.content, needed(input, 'content').trim()]
      if (input.position?.type === 'start') parts.reverse()
      page.content = parts.filter(Boolean).join('\n')
      return []
    }
    case 'apply_template': {
      const id = needed(input, 'template_id')
      const source = dataSourceOf(viewer, page)
      const template = source?.templates.find((known) => known.id === idIn(id))
      if (!template) throw notFound('template', id)
      page.content = [page.content, template.content].filter(Boolean).join('\n')
      return []
    }
    case 'update_verification': {
      const status = needed(input, 'verification_status')
      const days = input.verification_expiry_days
      page.verification = {
        status,
        by: viewer.user.id,
        ...(days !== undefined && { expiresAt: viewer.now + days * DAY }),
      }
      return []
    }
  }
}

function needed<Name extends keyof Input>(input: Input, name: Name): NonNullable<Input[Name]> {
  const value = input[name]
  if (value === undefined || value === null) {
    throw new ToolError('validation_error', `${name} is required for command ${input.command}.`)
  }
  return value as NonNullable<Input[Name]> // Neither undefined nor null, by the line above.
}

function replaceText(content: string, update: NonNullable<Input['content_updates']>[number]): string {
  const parts = content.split(update.old_str)
  if (parts.length === 1) {
    throw new ToolError('validation_error', `old_str was not found in the page: ${update.old_str.slice(0, 80)}`)
  }
  if (parts.length > 2 && !update.replace_all_matches) {
    const message = `old_str occurs ${parts.length - 1} times. Make it longer, or set replace_all_matches.`
    throw new ToolError('validation_error', message)
  }
  return parts.join(update.new_str)
}
