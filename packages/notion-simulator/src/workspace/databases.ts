import { dataSourcesOf, pageUrl, pathOf, renderAncestors, type Viewer } from './pages.ts'
import type { Database, DataSource, PropertyDefinition, View } from './workspace.ts'

export type Column = { name: string; type: 'TEXT' | 'REAL' | 'INTEGER'; comment?: string }

/** The columns of the SQLite table of a data source, for `query-data-sources`. */
export function columnsOf(source: DataSource): Column[] {
  return Object.entries(source.properties).flatMap(([name, { type, options }]): Column[] => {
    if (type === 'date') {
      return [
        { name: `date:${name}:start`, type: 'TEXT', comment: 'ISO-8601 date or datetime' },
        { name: `date:${name}:end`, type: 'TEXT' },
        { name: `date:${name}:is_datetime`, type: 'INTEGER' },
      ]
    }
    if (type === 'number') return [{ name, type: 'REAL' }]
    if (type === 'checkbox') return [{ name, type: 'TEXT', comment: '__YES__ or __NO__' }]
    if (type === 'person') return [{ name, type: 'TEXT', comment: 'JSON array of user:// URLs' }]
    return [{ name, type: 'TEXT', ...(options && { comment: `one of ${JSON.stringify(options)}` }) }]
  })
}

function sqliteTable(source: DataSource): string {
  const columns = columnsOf(source).map(
    ({ name, type, comment }) => `  "${name}" ${type}${comment ? `, -- ${comment}` : ','}`,
  )
  const all = ['  url TEXT UNIQUE,', '  createdTime TEXT,', ...columns]
  return `CREATE TABLE IF NOT EXISTS "collection://${source.id}" (\n${all.join('\n').replace(/,( --[^\n]*)?$/, '$1')}\n)`
}

function schemaOf(properties: Record<string, PropertyDefinition>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type, options }]) => [
      name,
      { name, type, ...(options && { options: options.map((option) => ({ name: option })) }) },
    ]),
  )
}

function dataSourceText(source: DataSource): string {
  const state = { name: source.name, url: `collection://${source.id}`, schema: schemaOf(source.properties) }
  const templates = source.templates.map(({ id, name }) => `<template id="${id}" name="${name}"/>`).join('\n')
  return (
    `<data-source url="{{collection://${source.id}}}">\nThe title of this Data Source is: ${source.name}\n` +
    `<data-source-state>\n${JSON.stringify(state)}\n</data-source-state>\n` +
    `<sqlite-table>\n${sqliteTable(source)}\n</sqlite-table>\n` +
    `<templates>\n${templates}\n</templates>\n</data-source>`
  )
}

function viewText(view: View): string {
  const { name, type, filter, sort, configure } = view
  const state = { name, type, dataSourceUrl: `collection://${view.dataSourceId}`, filter, sort, configure }
  return `<view url="{{view://${view.id}}}">\n${JSON.stringify(state)}\n</view>`
}

function asOf(viewer: Viewer, kind: string, url: string): string {
  return `Here is the result of "fetch" for the ${kind} with URL ${url} as of ${new Date(viewer.now).toISOString()}:`
}

/** The result of `fetch` for a database. */
export function renderDatabase(viewer: Viewer, database: Database): Record<string, unknown> {
  const url = pageUrl(viewer, database.id)
  const sources = dataSourcesOf(viewer.workspace, database.id)
  const views = [...viewer.workspace.views.values()].filter(({ databaseId }) => databaseId === database.id)
  return {
    metadata: { type: 'database' },
    title: database.title,
    url,
    path: pathOf(viewer, database.parent),
    text:
      `${asOf(viewer, 'Database', url)}\n` +
      `<database url="{{${url}}}" inline="${database.inline}">\n${renderAncestors(viewer, database.parent)}\n` +
      `The title of this Database is: ${database.title}\n` +
      `<data-sources>\n${sources.map(dataSourceText).join('\n')}\n</data-sources>\n` +
      `<views>\n${views.map(viewText).join('\n')}\n</views>\n</database>`,
  }
}

/** The result of `fetch` for a `collection://` URL. */
export function renderDataSource(viewer: Viewer, source: DataSource): Record<string, unknown> {
  const url = `collection://${source.id}`
  const parent = { type: 'data_source' as const, id: source.id }
  return {
    metadata: { type: 'data_source' },
    title: source.name,
    url,
    path: pathOf(viewer, parent),
    text: `${asOf(viewer, 'Data Source', url)}\n${dataSourceText(source)}`,
  }
}

/** The result of `fetch` for a `view://` URL. */
export function renderView(viewer: Viewer, view: View): Record<string, unknown> {
  const url = `view://${view.id}`
  return { metadata: { type: 'view' }, title: view.name, url, text: `${asOf(viewer, 'View', url)}\n${viewText(view)}` }
}
