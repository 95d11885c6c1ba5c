import { z } from 'zod'
import { columnsOf } from '../../workspace/databases.ts'
import { findDataSource, idIn, type Viewer } from '../../workspace/pages.ts'
import { compare, fits, rows, rowsOfView, type Row, type RowFilter } from '../../workspace/rows.ts'
import { runSelect } from '../../workspace/sql.ts'
import type { DataSource } from '../../workspace/workspace.ts'
import { notFound, tool, ToolError } from '../tool.ts'
import { offsetFrom } from './paging.ts'

const Value = z.string().or(z.number()).or(z.null())

const Filter: z.ZodType<RowFilter> = z.lazy(() =>
  z.union([
    z.object({ and: z.array(Filter) }),
    z.object({ or: z.array(Filter) }),
    z.object({
      property: z.string(),
      equals: Value.optional(),
      does_not_equal: Value.optional(),
      contains: z.string().optional(),
      is_empty: z.boolean().optional(),
    }),
  ]),
)
const Sort = z.object({ property: z.string(), direction: z.enum(['ascending', 'descending']).default('ascending') })

const SqlQuery = z.object({
  mode: z.literal('sql').optional(),
  data_source_urls: z.array(z.string()).min(1),
  query: z.string(),
  params: z.array(z.string().or(z.number()).or(z.boolean()).or(z.null())).optional(),
})
const ViewQuery = z.object({
  mode: z.literal('view'),
  view_url: z.string(),
  start_cursor: z.string().optional(),
  page_size: z.number().int().min(1).max(100).optional(),
  is_archived: z.boolean().optional(),
})
const RowsQuery = z.object({
  mode: z.literal('rows'),
  data_source_url: z.string(),
  filter: Filter.optional(),
  sort: z.union([Sort, z.array(Sort)]).optional(),
  limit: z.number().int().min(1).max(100).optional(),
})

export const queryDataSources = tool({
  name: 'query-data-sources',
  title: 'Query data sources',
  kind: 'read',
  description: `
Reads rows of data sources in one of three modes.

- \`rows\`: rows of one data source with simple conditions, at most \`limit\` (default 50, at most 100).
- \`view\`: what a view shows, in its order, page by page (\`has_more\`, \`next_cursor\`).
- \`sql\` (default): one SQLite \`SELECT\`. Tables are called by their data source URL in double quotes
  (\`SELECT "Name" FROM "collection://<uuid>" WHERE "Status" = ? LIMIT 10\`); list each URL in \`data_source_urls\`, and pass values as
  \`params\`. The columns are those of the \`<sqlite-table>\` that \`notion-fetch\` shows, plus \`url\` and \`createdTime\`.

Fetch the data source first, so that you know its columns. Checkboxes are \`__YES__\` or \`__NO__\`, dates ISO-8601 text.`,
  input: z.object({ data: z.union([SqlQuery, ViewQuery, RowsQuery]) }),
  run({ data }, { viewer }) {
    if (data.mode === 'rows') return queryRows(viewer, data)
    if (data.mode === 'view') return queryView(viewer, data)
    return querySql(viewer, data)
  },
})

function sourceAt(viewer: Viewer, url: string): DataSource {
  const source = findDataSource(viewer, url)
  if (!source) throw notFound('data source', url)
  return source
}

function queryRows(viewer: Viewer, data: z.infer<typeof RowsQuery>): unknown {
  const source = sourceAt(viewer, data.data_source_url)
  const { filter, limit = 50 } = data
  const sorts = data.sort === undefined ? [] : Array.isArray(data.sort) ? data.sort : [data.sort]
  for (const { property } of sorts) {
    if (!(property in source.properties) && !columnNames(source).includes(property)) {
      throw new ToolError('validation_error', `Property "${property}" does not exist.`)
    }
  }
  const shown = rows(viewer, source).filter((row) => !filter || fits(row, filter))
  const column = (property: string) =>
    source.properties[property]?.type === 'date' ? `date:${property}:start` : property
  shown.sort((a, b) => {
    for (const { property, direction } of sorts) {
      const difference = compare(a[column(property)], b[column(property)])
      if (difference !== 0) return direction === 'ascending' ? difference : -difference
    }
    return 0
  })
  return { results: shown.slice(0, limit), has_more: shown.length > limit }
}

function queryView(viewer: Viewer, data: z.infer<typeof ViewQuery>): unknown {
  const view = viewer.workspace.views.get(idIn(data.view_url) ?? '')
  const source = view && findDataSource(viewer, view.dataSourceId)
  if (!view || !source) throw notFound('view', data.view_url)
  const all = rowsOfView(viewer, source, view, data.is_archived ?? false)
  const offset = offsetFrom(data.start_cursor)
  const end = offset + (data.page_size ?? 50)
  const hasMore = end < all.length
  return { results: all.slice(offset, end), has_more: hasMore, ...(hasMore && { next_cursor: `offset:${end}` }) }
}

/** Maximum number of rows. Longer results are truncated, with a note. */
const MAX_ROWS = 100

function querySql(viewer: Viewer, data: z.infer<typeof SqlQuery>): unknown {
  const sources = data.data_source_urls.map((url) => sourceAt(viewer, url))
  const parameters = (data.params ?? []).map((value) =>
    typeof value === 'boolean' ? (value ? '__YES__' : '__NO__') : value,
  )
  const results: Row[] = runSelect(data.query, parameters, (name) => {
    const source = sources.find(({ id }) => id === idIn(name))
    if (!source) throw new ToolError('validation_error', `no such table: ${name}. List its URL in data_source_urls.`)
    return { columns: columnNames(source), rows: rows(viewer, source) }
  })
  return { results: results.slice(0, MAX_ROWS), has_more: results.length > MAX_ROWS }
}

function columnNames(source: DataSource): string[] {
  return ['url', 'createdTime', ...columnsOf(source).map(({ name }) => name)]
}
