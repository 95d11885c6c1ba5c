import { z } from 'zod'
import { renderDatabase, renderDataSource, renderView } from '../../workspace/databases.ts'
import { renderDiscussions } from '../../workspace/discussions.ts'
import { findDatabase, findDataSource, findPage, idIn, renderPage, type Viewer } from '../../workspace/pages.ts'
import { DOCUMENTS } from '../documents.ts'
import { notFound, tool, ToolError } from '../tool.ts'
import { accessMap } from './tool-access.ts'

export const fetchTool = tool({
  name: 'fetch',
  title: 'Fetch a page, database or data source',
  kind: 'read',
  description: `
Reads one thing in Notion by its URL or id and answers with its whole content as enhanced Markdown.

\`id\` may be a page or database URL (notion.so, app.notion.com, or a *.notion.site page), a UUID with or without dashes, the URL
of a data source (\`collection://…\`) or of a view (\`view://…\`), one of the documents \`notion://docs/…\`, or \`self\` for the
connected user and workspace.

- A database answers with its data sources and views. To work on rows, take the \`collection://\` URL from there and use
  \`notion-query-data-sources\`, or fetch that URL for the schema alone.
- Set \`include_discussions\` to see where comments are, then use \`notion-get-comments\` to read them.
- Very long pages arrive truncated: \`truncated\` is true and \`unknown_block_ids\` names what is missing; fetch those ids.
- Links to uploaded files are good for a few minutes only. Fetch again rather than keeping them.`,
  input: z.object({
    id: z.string().min(1).describe('URL or ID of what to read, or "self".'),
    include_transcript: z.boolean().optional().describe('Include the transcript of meeting notes.'),
    include_discussions: z.boolean().optional().describe('Include a summary of the discussions on the page.'),
  }),
  run(input, { viewer, toolNames }) {
    const id = input.id.trim()
    if (id === 'self') return self(viewer, accessMap(viewer.workspace.plan, toolNames))
    if (id.startsWith('notion://docs/')) return document(id)
    const found = fetchObject(viewer, id)
    const page = input.include_discussions ? findPage(viewer, id) : undefined
    return page
      ? { ...found, discussions: renderDiscussions(viewer, page.id, { includeResolved: false, onlyPageLevel: false }) }
      : found
  },
})

function self(viewer: Viewer, access: Record<string, unknown>): unknown {
  const { workspace, user } = viewer
  return {
    self: {
      workspace: { id: workspace.id, name: workspace.name },
      user: { id: user.id, name: user.name, type: 'person', email: user.email },
      current_tool_access: access,
    },
  }
}

function document(uri: string): unknown {
  const found = DOCUMENTS.find((candidate) => candidate.uri === uri)
  if (!found) throw notFound('document', uri)
  return { metadata: { type: 'document' }, title: found.name, url: uri, text: found.text }
}

function fetchObject(viewer: Viewer, id: string): Record<string, unknown> {
  if (!idIn(id)) {
    throw new ToolError(
      'validation_error',
      `"${id}" is neither a Notion URL nor a UUID nor one of the known special ids.`,
    )
  }
  if (id.startsWith('collection://')) {
    const source = findDataSource(viewer, id)
    if (!source) throw notFound('data source', id)
    return renderDataSource(viewer, source)
  }
  if (id.startsWith('view://')) {
    const view = viewer.workspace.views.get(idIn(id) ?? '')
    if (!view || !findDataSource(viewer, view.dataSourceId)) throw notFound('view', id)
    return renderView(viewer, view)
  }
  const page = findPage(viewer, id)
  if (page) return renderPage(viewer, page)
  const database = findDatabase(viewer, id)
  if (database) return renderDatabase(viewer, database)
  const source = findDataSource(viewer, id)
  if (source) return renderDataSource(viewer, source)
  throw notFound('page or database', id)
}
