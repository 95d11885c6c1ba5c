import { pageUrl, rowsOf, type Viewer } from './pages.ts'
import { columnsOf } from './databases.ts'
import type { DataSource, Page, PropertyValue, View } from './workspace.ts'

/** A row of a data source in query results, by column. */
export type Row = Record<string, PropertyValue>

/** All rows, with all columns of the table in `fetch`. */
export function rows(viewer: Viewer, source: DataSource, archived = false): Row[] {
  const title = titleColumn(source)
  return rowsOf(viewer.workspace, source.id)
    .filter((page) => page.archived === archived)
    .map((page) => rowOf(viewer, source, page, title))
}

function rowOf(viewer: Viewer, source: DataSource, page: Page, title: string): Row {
  const row: Row = { url: pageUrl(viewer, page.id), createdTime: new Date(page.createdAt).toISOString() }
  for (const { name } of columnsOf(source)) row[name] = name === title ? page.title : (page.properties[name] ?? null)
  return row
}

export function titleColumn(source: DataSource): string {
  return Object.entries(source.properties).find(([, { type }]) => type === 'title')?.[0] ?? 'title'
}

/** The rows of a view, in its order. */
export function rowsOfView(viewer: Viewer, source: DataSource, view: View, archived: boolean): Row[] {
  const { filter, sort } = view
  const selected = rows(viewer, source, archived).filter((row) => !filter || row[filter.property] === filter.equals)
  return sort
    ? selected.sort((a, b) => compare(a[sort.property], b[sort.property]) * (sort.descending ? -1 : 1))
    : selected
}

/** Compares values in SQLite's order: null, numbers, text. */
export function compare(a: PropertyValue | undefined, b: PropertyValue | undefined): number {
  const rank = (value: PropertyValue | undefined) =>
    value === null || value === undefined ? 0 : typeof value === 'number' ? 1 : 2
  const difference = rank(a) - rank(b)
  if (difference !== 0) return difference
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  return 0
}

/** A condition on rows: one property, or several combined. */
export type RowFilter =
  | { and: RowFilter[] }
  | { or: RowFilter[] }
  | {
      property: string
      equals?: PropertyValue | undefined
      does_not_equal?: PropertyValue | undefined
      contains?: string | undefined
      is_empty?: boolean | undefined
    }

export function fits(row: Row, filter: RowFilter): boolean {
  if ('and' in filter) return filter.and.every((part) => fits(row, part))
  if ('or' in filter) return filter.or.some((part) => fits(row, part))
  const value = row[filter.property] ?? null
  if (filter.equals !== undefined && value !== filter.equals) return false
  if (filter.does_not_equal !== undefined && value === filter.does_not_equal) return false
  if (filter.is_empty !== undefined && (value === null || value === '') !== filter.is_empty) return false
  return (
    filter.contains === undefined ||
    String(value ?? '')
      .toLowerCase()
      .includes(filter.contains.toLowerCase())
  )
}
