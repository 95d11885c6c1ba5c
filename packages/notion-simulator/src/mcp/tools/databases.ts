import { z } from 'zod'
import { parseAlterations, parseCreateTable, type Alteration } from '../../workspace/ddl.ts'
import { resolveParent, touchPage } from '../../workspace/editing.ts'
import { renderDatabase, renderDataSource, renderView } from '../../workspace/databases.ts'
import { findDatabase, findDataSource, findPage, idIn, rowsOf, type Viewer } from '../../workspace/pages.ts'
import {
  newId,
  type Database,
  type DataSource,
  type Parent,
  type PropertyDefinition,
  type View,
} from '../../workspace/workspace.ts'
import { notFound, tool, ToolError } from '../tool.ts'

/** The schemas of the database templates. */
const KINDS: Record<'tasks' | 'projects' | 'skills', { title: string; schema: string }> = {
  tasks: {
    title: 'Tasks',
    schema: `CREATE TABLE ("Task name" TITLE, "Status" STATUS, "Assignee" PEOPLE, "Due date" DATE)`,
  },
  projects: {
    title: 'Projects',
    schema: `CREATE TABLE ("Project name" TITLE, "Status" STATUS, "Owner" PEOPLE, "Dates" DATE)`,
  },
  skills: { title: 'Skills', schema: `CREATE TABLE ("Name" TITLE, "When to use" RICH_TEXT)` },
}

export const createDatabase = tool({
  name: 'create-database',
  title: 'Create a database',
  kind: 'write',
  description: `
Creates a database with one data source and one table view, below a page or as a private page.

Give either \`schema\`, an SQL statement \`CREATE TABLE ("Name" TITLE, "Priority" SELECT('High':red, 'Low':gray), "Due" DATE, …)\`, or
\`database_type\` for a ready-made one. Column types: TITLE (exactly one), RICH_TEXT, NUMBER, SELECT, MULTI_SELECT, STATUS, DATE, PEOPLE,
CHECKBOX, URL, EMAIL, CREATED_TIME. The answer holds the \`collection://\` URL with which rows are created and queried.`,
  input: z.object({
    schema: z.string().optional(),
    database_type: z.enum(['tasks', 'projects', 'skills']).optional(),
    parent: z.object({ page_id: z.string(), type: z.literal('page_id').optional() }).optional(),
    title: z.string().optional(),
    description: z.string().optional(),
  }),
  run({ schema, database_type, parent, title, description = '' }, { viewer }) {
    if ((schema === undefined) === (database_type === undefined)) {
      throw new ToolError('validation_error', 'Give exactly one of schema and database_type.')
    }
    const kind = database_type && KINDS[database_type]
    const properties = parseCreateTable(schema ?? kind?.schema ?? '')
    const target = resolveParent(viewer, parent ?? { workspace: true })
    const { database, source } = addDatabase(viewer, target, title ?? kind?.title ?? '', description, properties)
    return {
      result: `Created database "${database.title}".`,
      database_id: database.id,
      data_source_url: `collection://${source.id}`,
      ...renderDatabase(viewer, database),
    }
  },
})

function addDatabase(
  viewer: Viewer,
  parent: Parent,
  title: string,
  description: string,
  properties: Record<string, PropertyDefinition>,
): { database: Database; source: DataSource } {
  const { workspace, now, user } = viewer
  const database: Database = {
    id: newId(),
    title,
    description,
    icon: null,
    parent,
    inline: false,
    createdAt: now,
    editedAt: now,
    editedBy: user.id,
  }
  const source: DataSource = {
    id: newId(),
    databaseId: database.id,
    name: title,
    description,
    properties,
    templates: [],
    inTrash: false,
  }
  const view: View = {
    id: newId(),
    databaseId: database.id,
    dataSourceId: source.id,
    name: 'Default view',
    type: 'table',
  }
  workspace.databases.set(database.id, database)
  workspace.dataSources.set(source.id, source)
  workspace.views.set(view.id, view)
  return { database, source }
}

export const updateDataSource = tool({
  name: 'update-data-source',
  title: 'Change a data source',
  kind: 'destructive',
  description: `
Changes the schema, title or description of a data source, or moves it to the trash.

\`statements\` are SQL, separated by semicolons: \`ADD COLUMN "Effort" NUMBER\`, \`DROP COLUMN "Old"\`, \`RENAME COLUMN "Due" TO "Deadline"\`,
\`ALTER COLUMN "Priority" SET SELECT('High', 'Low')\`. Dropping a column loses its values; the title column cannot be dropped.`,
  input: z.object({
    data_source_id: z.string().describe('ID or collection:// URL.'),
    statements: z.string().optional(),
    title: z.string().optional(),
    description: z.string().optional(),
    is_inline: z.boolean().optional(),
    in_trash: z.boolean().optional(),
  }),
  run(input, { viewer }) {
    const source = findDataSource(viewer, input.data_source_id)
    const database = source && viewer.workspace.databases.get(source.databaseId)
    if (!source || !database) throw notFound('data source', input.data_source_id)
    const alterations = parseAlterations(input.statements ?? '')
    for (const alteration of alterations) check(source, alteration)
    for (const alteration of alterations) alter(viewer, source, alteration)
    if (input.title !== undefined) source.name = input.title
    if (input.description !== undefined) source.description = input.description
    if (input.is_inline !== undefined) database.inline = input.is_inline
    touchPage(viewer, database)
    const rendered = renderDataSource(viewer, source)
    if (input.in_trash !== undefined) source.inTrash = input.in_trash
    return { result: `Updated data source "${source.name}".`, ...rendered }
  },
})

function check(source: DataSource, alteration: Alteration): void {
  const name = 'name' in alteration ? alteration.name : 'from' in alteration ? alteration.from : alteration.column.name
  const definition = source.properties[name]
  if (alteration.kind === 'add') {
    if (definition) throw new ToolError('validation_error', `Column "${name}" exists already.`)
    if (alteration.column.definition.type === 'title') {
      throw new ToolError('validation_error', 'A database has exactly one TITLE column.')
    }
    return
  }
  if (!definition) throw new ToolError('validation_error', `Column "${name}" does not exist.`)
  if (definition.type === 'title' && alteration.kind !== 'rename') {
    throw new ToolError('validation_error', 'The title column can only be renamed.')
  }
}

function alter(viewer: Viewer, source: DataSource, alteration: Alteration): void {
  switch (alteration.kind) {
    case 'add':
    case 'set':
      source.properties[alteration.column.name] = alteration.column.definition
      return
    case 'drop':
      delete source.properties[alteration.name]
      for (const { properties } of rowsOf(viewer.workspace, source.id)) forgetValue(properties, alteration.name)
      return
    case 'rename': {
      const renamed = Object.entries(source.properties).map(([name, definition]) => [
        name === alteration.from ? alteration.to : name,
        definition,
      ])
      source.properties = Object.fromEntries(renamed)
      for (const page of rowsOf(viewer.workspace, source.id)) {
        page.properties = Object.fromEntries(
          Object.entries(page.properties).map(([name, value]) => [
            renamedKey(name, alteration.from, alteration.to),
            value,
          ]),
        )
      }
    }
  }
}

const datePart = (name: string) => /^date:(.+):(?:start|end|is_datetime)$/.exec(name)?.[1]

function forgetValue(properties: Record<string, unknown>, column: string): void {
  for (const name of Object.keys(properties)) {
    if (name === column || datePart(name) === column) delete properties[name]
  }
}

function renamedKey(name: string, from: string, to: string): string {
  if (name === from) return to
  return datePart(name) === from ? name.replace(`date:${from}:`, `date:${to}:`) : name
}

const VIEW_TYPES = [
  'table',
  'board',
  'list',
  'calendar',
  'timeline',
  'gallery',
  'form',
  'chart',
  'map',
  'dashboard',
] as const

export const createView = tool({
  name: 'create-view',
  title: 'Create a view',
  kind: 'write',
  description: `
Adds a view of a data source to a database, or as a linked view to a page (\`parent_page_id\`). Exactly one of the two. \`configure\` is
written as \`notion://docs/view-dsl-spec\` says.`,
  input: z.object({
    data_source_id: z.string(),
    name: z.string(),
    type: z.enum(VIEW_TYPES),
    database_id: z.string().optional(),
    parent_page_id: z.string().optional(),
    configure: z.string().optional(),
  }),
  run({ data_source_id, name, type, database_id, parent_page_id, configure }, { viewer }) {
    const source = findDataSource(viewer, data_source_id)
    if (!source) throw notFound('data source', data_source_id)
    if ((database_id === undefined) === (parent_page_id === undefined)) {
      throw new ToolError('validation_error', 'Give exactly one of database_id and parent_page_id.')
    }
    if (database_id !== undefined && !findDatabase(viewer, database_id)) throw notFound('database', database_id)
    if (parent_page_id !== undefined && !findPage(viewer, parent_page_id)) throw notFound('page', parent_page_id)
    const view: View = {
      id: newId(),
      databaseId: idIn(database_id ?? '') ?? source.databaseId,
      dataSourceId: source.id,
      name,
      type,
      ...parseConfiguration(configure),
    }
    viewer.workspace.views.set(view.id, view)
    return { result: `Created view "${name}".`, view_url: `view://${view.id}`, ...renderView(viewer, view) }
  },
})

export const updateView = tool({
  name: 'update-view',
  title: 'Change a view',
  kind: 'destructive',
  description: 'Renames a view, or replaces parts of its configuration (`notion://docs/view-dsl-spec`).',
  input: z.object({
    view_id: z.string().describe('ID or view:// URL.'),
    name: z.string().optional(),
    configure: z.string().optional(),
  }),
  run({ view_id, name, configure }, { viewer }) {
    const view = viewer.workspace.views.get(idIn(view_id) ?? '')
    if (!view || !findDataSource(viewer, view.dataSourceId)) throw notFound('view', view_id)
    if (name !== undefined) view.name = name
    Object.assign(view, parseConfiguration(configure))
    return { result: `Updated view "${view.name}".`, ...renderView(viewer, view) }
  },
})

/** Of the configuration language, only equality filters and one sort are implemented; the rest is stored as text. */
function parseConfiguration(configure: string | undefined): Pick<View, 'filter' | 'sort' | 'configure'> {
  if (configure === undefined) return {}
  const filter = /FILTER\s+"([^"]+)"\s*=\s*"([^"]*)"/i.exec(configure)
  const sort = /SORT\s+(?:BY\s+)?"([^"]+)"(\s+DESC)?/i.exec(configure)
  return {
    configure,
    ...(filter?.[1] !== undefined && { filter: { property: filter[1], equals: filter[2] ?? '' } }),
    ...(sort?.[1] !== undefined && { sort: { property: sort[1], descending: sort[2] !== undefined } }),
  }
}
