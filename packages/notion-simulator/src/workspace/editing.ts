import {
  childrenOf,
  findDataSource,
  findDatabase,
  findPage,
  idIn,
  dataSourcesOf,
  pageUrl,
  type Viewer,
} from './pages.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { newId, type Database, type DataSource, type Page, type Parent, type PropertyValue } from './workspace.ts'

/** A parent in tool arguments. */
export type ParentChoice =
  | { page_id: string }
  | { database_id: string }
  | { data_source_id: string }
  | { teamspace_id: string }
  | { workspace: true }

/**
 * Resolves a parent. A database is accepted only if it has exactly one data source.
 *
 * @throws {NotFoundError | ValidationError}
 */
export function resolveParent(viewer: Viewer, choice: ParentChoice): Parent {
  if ('workspace' in choice) return { type: 'private', userId: viewer.user.id }
  if ('page_id' in choice) {
    const page = findPage(viewer, choice.page_id)
    if (!page) throw new NotFoundError('page', choice.page_id)
    return { type: 'page', id: page.id }
  }
  if ('data_source_id' in choice) {
    const source = findDataSource(viewer, choice.data_source_id)
    if (!source) throw new NotFoundError('data source', choice.data_source_id)
    return { type: 'data_source', id: source.id }
  }
  if ('teamspace_id' in choice) {
    const id = idIn(choice.teamspace_id)
    const teamspace = viewer.workspace.teamspaces.find((known) => known.id === id)
    if (!teamspace?.memberIds.includes(viewer.user.id)) throw new NotFoundError('teamspace', choice.teamspace_id)
    return { type: 'teamspace', id: teamspace.id }
  }
  const database = findDatabase(viewer, choice.database_id)
  if (!database) throw new NotFoundError('database', choice.database_id)
  const [source, ...others] = dataSourcesOf(viewer.workspace, database.id)
  if (!source || others.length > 0) {
    throw new ValidationError(
      `Database ${database.id} has ${others.length + 1} data sources; use data_source_id instead.`,
    )
  }
  return { type: 'data_source', id: source.id }
}

/**
 * Splits properties into the title and the others, and validates them against the data source of the page, if any. Adds new options of selects, like
 * Notion.
 *
 * @throws {ValidationError}
 */
export function checkedProperties(
  given: Record<string, PropertyValue>,
  source: DataSource | undefined,
): { title?: string; properties: Record<string, PropertyValue> } {
  const result: { title?: string; properties: Record<string, PropertyValue> } = { properties: {} }
  for (const [givenName, value] of Object.entries(given)) {
    const name = givenName.replace(/^userDefined:/, '')
    const type = source?.properties[name]?.type
    if (givenName === 'title' || type === 'title') {
      result.title = String(value ?? '')
      continue
    }
    if (!source)
      throw new ValidationError(`Property "${givenName}" does not exist. Outside a database a page has only "title".`)
    result.properties[name] = checkedValue(source, name, value)
  }
  return result
}

function checkedValue(source: DataSource, name: string, value: PropertyValue): PropertyValue {
  const date = /^date:(.+):(start|end|is_datetime)$/.exec(name)
  const definition = source.properties[date?.[1] ?? name]
  const isKnown = definition && (definition.type === 'date') === (date !== null)
  if (!isKnown) {
    const hint = definition?.type === 'date' ? ` Write the date as "date:${name}:start".` : ''
    throw new ValidationError(`Property "${name}" does not exist in data source "${source.name}".${hint}`)
  }
  if (value === null || date) return value
  switch (definition.type) {
    case 'number':
      if (typeof value !== 'number') throw new ValidationError(`Property "${name}" takes a number.`)
      return value
    case 'checkbox':
      if (value !== '__YES__' && value !== '__NO__')
        throw new ValidationError(`Property "${name}" takes __YES__ or __NO__.`)
      return value
    case 'status':
      if (!definition.options?.includes(String(value))) {
        throw new ValidationError(
          `"${value}" is not an option of "${name}": ${JSON.stringify(definition.options ?? [])}.`,
        )
      }
      return value
    case 'select':
      if (!definition.options?.includes(String(value))) (definition.options ??= []).push(String(value))
      return String(value)
    case 'created_time':
      throw new ValidationError(`Property "${name}" cannot be written.`)
    default:
      return value
  }
}

/** Creates an empty page. */
export function newPage(viewer: Viewer, parent: Parent, title: string): Page {
  const page: Page = {
    id: newId(),
    title,
    icon: null,
    cover: null,
    parent,
    properties: {},
    content: '',
    sharedWith: [],
    createdAt: viewer.now,
    createdBy: viewer.user.id,
    editedAt: viewer.now,
    editedBy: viewer.user.id,
    archived: false,
    isSkill: false,
  }
  viewer.workspace.pages.set(page.id, page)
  return page
}

export function touchPage(viewer: Viewer, page: Page | Database): void {
  page.editedAt = viewer.now
  page.editedBy = viewer.user.id
}

export function dataSourceOf(viewer: Viewer, page: Page): DataSource | undefined {
  return page.parent.type === 'data_source' ? viewer.workspace.dataSources.get(page.parent.id) : undefined
}

const isPage = (child: Page | Database): child is Page => 'content' in child

function childTag(viewer: Viewer, child: Page | Database): string {
  const url = pageUrl(viewer, child.id)
  return isPage(child)
    ? `<page url="${url}">${child.title}</page>`
    : `<database url="${url}" inline="${child.inline}">${child.title}</database>`
}

/** The content for reading and editing, with a line for each child page and database at its end. */
export function editableContent(viewer: Viewer, page: Page): string {
  const tags = childrenOf(viewer.workspace, page.id).map((child) => childTag(viewer, child))
  return [page.content, ...tags].filter(Boolean).join('\n')
}

/**
 * Stores edited content. Children whose lines were removed are moved to the trash, if the caller allows it.
 *
 * @throws {ValidationError} that names the children that would be deleted.
 */
export function storeContent(viewer: Viewer, page: Page, edited: string, mayDelete: boolean): void {
  const children = childrenOf(viewer.workspace, page.id)
  const lost = children.filter((child) => !edited.includes(pageUrl(viewer, child.id)))
  if (lost.length > 0 && !mayDelete) {
    const names = lost.map(({ title }) => `"${title}"`).join(', ')
    throw new ValidationError(
      `This would delete child content: ${names}. Keep it, or set allow_deleting_content to true.`,
    )
  }
  for (const child of lost) trash(viewer, child)
  const tags = new Set(children.map((child) => childTag(viewer, child)))
  page.content = edited
    .split('\n')
    .filter((line) => !tags.has(line.trim()))
    .join('\n')
    .trim()
  touchPage(viewer, page)
}

/** Deletes a page: the simulator has no trash to restore from. */
function trash(viewer: Viewer, item: Page | Database): void {
  for (const child of childrenOf(viewer.workspace, item.id)) trash(viewer, child)
  viewer.workspace.pages.delete(item.id)
  viewer.workspace.databases.delete(item.id)
}

/** True if `id` is the parent itself or one of its ancestors. */
export function isAbove(viewer: Viewer, id: string, place: Parent): boolean {
  if (place.type === 'private' || place.type === 'teamspace') return false
  if (place.id === id) return true
  if (place.type === 'page') {
    const page = viewer.workspace.pages.get(place.id)
    return page !== undefined && isAbove(viewer, id, page.parent)
  }
  const database = viewer.workspace.databases.get(viewer.workspace.dataSources.get(place.id)?.databaseId ?? '')
  return database !== undefined && (database.id === id || isAbove(viewer, id, database.parent))
}
