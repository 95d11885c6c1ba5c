import { describe, expect, it } from 'vitest'
import { seededId, type Simulator } from '../src/index.ts'
import { connect, type Json, simulator, toolRefusal, use } from './client.ts'

const TASKS = `collection://${seededId('Acme/data-source/tasks')}`
const view = (name: string) => `view://${seededId(`Acme/view/tasks/${name}`)}`

async function ada(): Promise<{ notion: Simulator; token: string }> {
  const notion = await simulator()
  return { notion, token: (await connect(notion)).tokens.access_token }
}

type Rows = { results: Json[]; has_more: boolean; next_cursor?: string }
const query = async (notion: Simulator, token: string, data: Json) =>
  (await use(notion, token, 'query-data-sources', { data })) as unknown as Rows

describe('query-data-sources', () => {
  it('returns rows with all columns', async () => {
    const { notion, token } = await ada()
    const { results, has_more } = await query(notion, token, { mode: 'rows', data_source_url: TASKS, limit: 1 })
    expect(has_more).toBe(true)
    expect(Object.keys(results[0] ?? {})).toEqual([
      'url',
      'createdTime',
      'Name',
      'Status',
      'Priority',
      'date:Due:start',
      'date:Due:end',
      'date:Due:is_datetime',
      'Effort',
      'Blocked',
      'Owner',
    ])
  })

  it('filters and sorts rows', async () => {
    const { notion, token } = await ada()
    const { results } = await query(notion, token, {
      mode: 'rows',
      data_source_url: TASKS,
      filter: {
        and: [
          { property: 'Status', does_not_equal: 'Done' },
          { property: 'Priority', equals: 'High' },
        ],
      },
      sort: { property: 'Due', direction: 'descending' },
    })
    expect(results.map((row) => row['Name'])).toEqual(['Record the two-minute demo', 'Write the launch announcement'])
    const found = await query(notion, token, {
      mode: 'rows',
      data_source_url: TASKS,
      filter: {
        or: [
          { property: 'Name', contains: 'KEYS' },
          { property: 'Blocked', equals: '__YES__' },
        ],
      },
    })
    expect(found.results).toHaveLength(2)
  })

  it('returns a view page by page', async () => {
    const { notion, token } = await ada()
    const first = await query(notion, token, { mode: 'view', view_url: view('All tasks'), page_size: 5 })
    expect(first).toMatchObject({ has_more: true, next_cursor: 'offset:5' })
    expect(first.results[0]?.['Name']).toBe('Rotate the signing keys')
    const second = await query(notion, token, {
      mode: 'view',
      view_url: view('All tasks'),
      page_size: 5,
      start_cursor: 'offset:5',
    })
    expect(second.results).toHaveLength(3)
    expect(second).not.toHaveProperty('next_cursor')
    const board = await query(notion, token, { mode: 'view', view_url: view('In progress') })
    expect(board.results.map((row) => row['Status'])).toEqual(['In progress', 'In progress'])
  })

  it('executes SQL', async () => {
    const { notion, token } = await ada()
    const sql = (text: string, params?: unknown[]) =>
      query(notion, token, { data_source_urls: [TASKS], query: text.replace('$', `"${TASKS}"`), params })
    expect(
      (await sql('SELECT "Name", Effort AS effort FROM $ WHERE "Status" = ? ORDER BY effort DESC LIMIT 1', ['Done']))
        .results,
    ).toEqual([{ Name: 'Load test the new search', effort: 8 }])
    expect((await sql('SELECT Status, COUNT(*) AS n FROM $ GROUP BY Status ORDER BY n DESC, Status')).results).toEqual([
      { Status: 'Not started', n: 4 },
      { Status: 'Done', n: 2 },
      { Status: 'In progress', n: 2 },
    ])
    expect((await sql('SELECT COUNT(*) AS n FROM $ WHERE Blocked = ?', [true])).results).toEqual([{ n: 1 }])
  })

  it.each<[string, Json, string]>([
    [
      'a table that was not listed',
      { data_source_urls: [TASKS], query: 'SELECT * FROM "collection://other"' },
      'no such table',
    ],
    [
      'a column that does not exist',
      { data_source_urls: [TASKS], query: `SELECT Colour FROM "${TASKS}"` },
      'no such column',
    ],
    ['anything but SELECT', { data_source_urls: [TASKS], query: `DELETE FROM "${TASKS}"` }, 'only SELECT'],
    ['a broken statement', { data_source_urls: [TASKS], query: `SELECT * FROM "${TASKS}" WHERE` }, 'incomplete'],
    [
      'an unknown property to sort by',
      { mode: 'rows', data_source_url: TASKS, sort: { property: 'Colour' } },
      'does not exist',
    ],
  ])('refuses %s', async (_, data, reason) => {
    const { notion, token } = await ada()
    expect(await toolRefusal(notion, token, 'query-data-sources', { data })).toMatchObject({
      code: 'validation_error',
      message: expect.stringContaining(reason),
    })
  })
})

describe('create-database', () => {
  it('creates a database from DDL', async () => {
    const { notion, token } = await ada()
    const schema = `CREATE TABLE ("Book" TITLE, "Shelf" SELECT('Novels':blue, 'Cookery, etc.'), "Pages" NUMBER, "Read" CHECKBOX)`
    const made = await use(notion, token, 'create-database', { title: 'Library', schema })
    expect(made).toMatchObject({ title: 'Library', metadata: { type: 'database' } })
    expect(made['text']).toContain('"Cookery, etc."')
    const source = String(made['data_source_url'])
    await use(notion, token, 'create-pages', {
      parent: { database_id: made['database_id'] },
      pages: [{ properties: { Book: 'Emma', Shelf: 'Novels', Pages: 474, Read: '__YES__' } }],
    })
    const { results } = await query(notion, token, { mode: 'rows', data_source_url: source })
    expect(results).toMatchObject([{ Book: 'Emma', Shelf: 'Novels', Pages: 474, Read: '__YES__' }])
  })

  it('creates a database from a template', async () => {
    const { notion, token } = await ada()
    const made = await use(notion, token, 'create-database', { database_type: 'tasks' })
    expect(made).toMatchObject({ title: 'Tasks', path: 'Private' })
    expect(made['text']).toContain('"In progress"')
  })

  it.each<[string, Json]>([
    ['without a schema', {}],
    ['with a schema and a type', { schema: 'CREATE TABLE ("A" TITLE)', database_type: 'tasks' }],
    ['without a title column', { schema: 'CREATE TABLE ("A" NUMBER)' }],
    ['with an unknown type', { schema: 'CREATE TABLE ("A" TITLE, "B" BLOB)' }],
    ['from another statement', { schema: 'DROP TABLE "A"' }],
  ])('is refused %s', async (_, input) => {
    const { notion, token } = await ada()
    expect(await toolRefusal(notion, token, 'create-database', input)).toMatchObject({ code: 'validation_error' })
  })
})

describe('update-data-source', () => {
  it('adds, renames, changes and drops columns, with their values', async () => {
    const { notion, token } = await ada()
    const statements = `ADD COLUMN "Link" URL; RENAME COLUMN "Due" TO "Deadline"; ALTER COLUMN "Priority" SET SELECT('A', 'B'); DROP COLUMN "Effort"`
    await use(notion, token, 'update-data-source', { data_source_id: TASKS, statements, title: 'Work' })
    const { results } = await query(notion, token, { mode: 'rows', data_source_url: TASKS, limit: 1 })
    const columns = Object.keys(results[0] ?? {})
    expect(columns).toContain('Link')
    expect(columns).not.toContain('Effort')
    expect(results[0]?.['date:Deadline:start']).toBe('2026-10-06')
    const fetched = await use(notion, token, 'fetch', { id: TASKS })
    expect(fetched).toMatchObject({ title: 'Work' })
    expect(fetched['text']).toContain('[{"name":"A"},{"name":"B"}]')
  })

  it('changes nothing when one statement is wrong', async () => {
    const { notion, token } = await ada()
    for (const wrong of ['DROP COLUMN "Name"', 'DROP COLUMN "Colour"', 'ADD COLUMN "Effort" NUMBER', 'TRUNCATE']) {
      const input = { data_source_id: TASKS, statements: `ADD COLUMN "Link" URL; ${wrong}` }
      expect(await toolRefusal(notion, token, 'update-data-source', input)).toMatchObject({ code: 'validation_error' })
    }
    expect((await use(notion, token, 'fetch', { id: TASKS }))['text']).not.toContain('"Link"')
  })

  it('moves a data source to the trash', async () => {
    const { notion, token } = await ada()
    await use(notion, token, 'update-data-source', { data_source_id: TASKS, in_trash: true })
    expect(await toolRefusal(notion, token, 'fetch', { id: TASKS })).toMatchObject({ code: 'object_not_found' })
  })
})

describe('views', () => {
  it('are created, configured and returned', async () => {
    const { notion, token } = await ada()
    const made = await use(notion, token, 'create-view', {
      data_source_id: TASKS,
      database_id: seededId('Acme/database/tasks'),
      name: 'Mine, done',
      type: 'list',
      configure: 'FILTER "Status" = "Done"; SORT "Effort" DESC',
    })
    const view_url = String(made['view_url'])
    const { results } = await query(notion, token, { mode: 'view', view_url })
    expect(results.map((row) => row['Effort'])).toEqual([8, 1])
    await use(notion, token, 'update-view', { view_id: view_url, name: 'Done', configure: 'SORT "Effort"' })
    expect((await query(notion, token, { mode: 'view', view_url })).results.map((row) => row['Effort'])).toEqual([1, 8])
    expect(
      await toolRefusal(notion, token, 'create-view', { data_source_id: TASKS, name: 'x', type: 'list' }),
    ).toMatchObject({
      code: 'validation_error',
    })
  })
})
