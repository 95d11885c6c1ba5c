import { z } from 'zod'
import { search, searchUsers } from '../../workspace/search.ts'
import { tool } from '../tool.ts'

const DateRange = z.object({
  start_date: z.string().optional().describe('First day, YYYY-MM-DD, inclusive.'),
  end_date: z.string().optional().describe('Last day, YYYY-MM-DD, inclusive.'),
})

export const searchTool = tool({
  name: 'search',
  title: 'Search Notion',
  kind: 'read',
  description: `
Finds pages, databases and people in the Notion workspace of the connected user, by words and meaning.

Use it whenever the user refers to something that may be written down in Notion, and before creating a page that may exist
already. Ask one thing per call; several short queries find more than a long one. Each result has an id, a URL, the place where
it lives and a highlight of at most \`max_highlight_length\` characters. To read a whole page, pass its id or URL to
\`notion-fetch\`. There is no next page of results: when more is needed, ask more precisely, or use \`filters\`.

- \`query_type: "internal"\` (default) searches content; \`"user"\` searches the members by name or email.
- \`data_source_url\` (\`collection://…\`), \`page_url\` and \`teamspace_id\` restrict the search to what lives there. At most one.
- \`filters\` restricts by creation and edit date, by who created or edited, by teamspace, to titles, or by content status.`,
  input: z.object({
    query: z.string().min(1).describe('What to look for, in a few words or as a question.'),
    query_type: z.enum(['internal', 'user']).optional(),
    data_source_url: z
      .string()
      .optional()
      .describe('Search only the rows of this data source, e.g. collection://<uuid>.'),
    page_url: z.string().optional().describe('Search only this page and what is below it. URL or ID.'),
    teamspace_id: z.string().optional().describe('Search only this teamspace.'),
    filters: z
      .object({
        created_date_range: DateRange.optional(),
        created_by_user_ids: z.array(z.string()).optional(),
        edited_by_user_ids: z.array(z.string()).optional(),
        last_edited_date_range: DateRange.optional(),
        teamspace_ids: z.array(z.string()).optional(),
        title_only: z.boolean().optional(),
        content_status: z
          .enum(['all_with_archived', 'all_without_archived', 'verified_only', 'archived_only'])
          .optional(),
      })
      .optional(),
    sort: z.enum(['relevance', 'last_edited', 'created']).optional(),
    page_size: z.number().int().min(1).max(50).optional().describe('How many results at most. Default 10.'),
    max_highlight_length: z.number().int().min(0).max(500).optional().describe('Default 200; 0 for none.'),
  }),
  run(input, { viewer }) {
    const pageSize = input.page_size ?? 10
    if (input.query_type === 'user') return searchUsers(viewer, input.query, pageSize)
    return search(viewer, {
      query: input.query,
      filters: input.filters,
      sort: input.sort,
      pageSize,
      maxHighlightLength: input.max_highlight_length ?? 200,
      below: input.data_source_url ?? input.page_url ?? input.teamspace_id,
    })
  },
})
