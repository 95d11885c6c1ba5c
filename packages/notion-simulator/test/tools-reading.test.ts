import { beforeAll, afterAll, describe, expect, it } from 'vitest'
import { PEOPLE, startSimulator, type Simulator } from '../src/index.ts'
import { connect, type Json, START, toolRefusal, use } from './client.ts'

let notion: Simulator
let ada: string
let ben: string
let adaAtNorthwind: string

beforeAll(async () => {
  notion = await startSimulator({ clock: () => START })
  ada = (await connect(notion)).tokens.access_token
  ben = (await connect(notion, { user: 'ben' })).tokens.access_token
  adaAtNorthwind = (await connect(notion, { workspace: 'Northwind' })).tokens.access_token
})

afterAll(() => notion.close())

type Result = {
  id: string
  title: string
  url: string
  type: string
  highlight: string
  timestamp: string
  path: string
}
const search = async (accessToken: string, input: Json) =>
  (await use(notion, accessToken, 'search', input))['results'] as Result[]
const titles = async (accessToken: string, input: Json) => (await search(accessToken, input)).map(({ title }) => title)

describe('search', () => {
  it('returns results in the captured format, best first', async () => {
    const result = await use(notion, ada, 'search', { query: 'launch plan' })
    const [first] = result['results'] as Result[]
    expect(result).toMatchObject({ type: 'workspace_search', notices: [] })
    expect(first).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      title: 'Launch plan',
      url: `https://app.notion.com/p/${first?.id.replaceAll('-', '')}`,
      type: 'page',
      highlight: expect.stringContaining('launch'),
      timestamp: '1 day ago (2026-09-30)',
      path: 'Product',
    })
  })

  it('shows each workspace its own pages', async () => {
    const [inAcme] = await search(ada, { query: 'launch plan' })
    const [inNorthwind] = await search(adaAtNorthwind, { query: 'launch plan' })
    expect(inNorthwind?.title).toBe('Launch plan')
    expect(inNorthwind?.id).not.toBe(inAcme?.id)
    expect(inNorthwind?.highlight).toContain('Darjeeling')
  })

  it('finds private pages of the user, and no others', async () => {
    expect(await titles(ada, { query: 'scratchpad' })).toEqual(["Ada's scratchpad"])
    expect(await titles(ben, { query: 'scratchpad' })).toEqual([])
    expect(await titles(ben, { query: 'goals' })).toContain("Ben's goals for the year")
    expect(await titles(ada, { query: 'goals of ben' })).not.toContain("Ben's goals for the year")
    expect(await titles(ada, { query: 'architecture overview' })).not.toContain('Architecture overview')
  })

  it('applies its filters', async () => {
    const inTitle = await titles(ada, { query: 'search', filters: { title_only: true } })
    expect(inTitle.toSorted()).toEqual([
      'Draft: conference talk about search',
      'Incident review: search outage',
      'Load test the new search',
    ])
    const archived = { query: 'release notes', filters: { content_status: 'archived_only' } }
    expect(await titles(ada, archived)).toEqual(['Archive: release notes of version 1'])
    const verified = { query: 'launch', filters: { content_status: 'verified_only' } }
    expect(await titles(ada, verified)).toEqual(['Launch plan'])
    const recent = { query: 'launch', filters: { created_date_range: { start_date: '2026-09-20' } }, page_size: 50 }
    for (const title of await titles(ada, recent)) expect(title).not.toBe('Launch plan')
    const byBen = await search(ada, { query: 'search', filters: { created_by_user_ids: [PEOPLE.ben.id] } })
    expect(byBen.map(({ title }) => title)).toContain('Incident review: search outage')
    expect(byBen.map(({ title }) => title)).not.toContain('Product roadmap')
  })

  it('searches below a page or a data source, within its limits', async () => {
    const [meetings] = await search(ada, { query: 'meeting notes' })
    const below = await titles(ada, { query: 'launch pricing sync', page_url: meetings?.url })
    expect(below.toSorted()).toEqual(['Weekly product sync: launch date', 'Weekly product sync: pricing'])
    const [tasks] = (await search(ada, { query: 'tasks' })).filter(({ type }) => type === 'database')
    const rows = await titles(ada, { query: 'launch', data_source_url: tasks?.id })
    expect(rows).toEqual(['Write the launch announcement'])
    const short = await search(ada, { query: 'launch', page_size: 2, max_highlight_length: 10 })
    expect(short).toHaveLength(2)
    for (const { highlight } of short) expect(highlight.length).toBeLessThanOrEqual(10)
  })

  it('finds people', async () => {
    const result = await use(notion, ada, 'search', { query: 'okafor', query_type: 'user' })
    expect(result).toMatchObject({ type: 'user_search', results: [{ id: PEOPLE.ben.id, title: 'Ben Okafor' }] })
  })
})

describe('fetch', () => {
  it('of self names the user and the workspace', async () => {
    const result = await use(notion, ada, 'fetch', { id: 'self' })
    const workspace = notion.workspaces[0]
    expect(result).toMatchObject({
      self: {
        workspace: { id: workspace?.id, name: 'Acme' },
        user: { id: PEOPLE.ada.id, name: 'Ada Sandberg', type: 'person', email: 'ada@acme.test' },
        current_tool_access: { search: { status: 'available' } },
      },
    })
  })

  it('of a page returns the captured format, by id, by bare id or by URL', async () => {
    const [found] = await search(ada, { query: 'launch plan' })
    const id = found?.id ?? ''
    const bare = id.replaceAll('-', '')
    const result = await use(notion, ada, 'fetch', { id })
    expect(Object.keys(result)).toEqual([
      'metadata',
      'title',
      'url',
      'cover',
      'icon',
      'path',
      'page_last_edited_at',
      'text',
    ])
    expect(result).toMatchObject({
      metadata: { type: 'page' },
      title: 'Launch plan',
      url: `https://app.notion.com/p/${bare}?pvs=204`,
      cover: null,
      icon: { type: 'emoji', emoji: '🚀' },
      page_last_edited_at: '2026-09-30T12:00:00.000Z',
    })
    const text = String(result['text'])
    expect(text).toMatch(
      /^Here is the result of "fetch" for the Page with URL \S+ as of 2026-10-01T12:00:00.000Z:\n<page url="/,
    )
    expect(text).toContain('<ancestor-path>\n<parent-teamspace ')
    expect(text).toContain('<properties>\n{"title":"Launch plan"}\n</properties>')
    expect(text).toContain('<content>\n# Goal')
    expect(text.endsWith('</content>\n</page>')).toBe(true)
    for (const other of [bare, `https://www.notion.so/Launch-plan-${bare}?pvs=4`, `https://app.notion.com/p/${bare}`]) {
      expect((await use(notion, ada, 'fetch', { id: other }))['title']).toBe('Launch plan')
    }
  })

  it('of an empty page says so, and of a very long page is truncated', async () => {
    const [blank] = await search(ada, { query: 'ideas winter release' })
    const empty = await use(notion, ada, 'fetch', { id: blank?.id })
    expect(empty['text']).toContain('<blank-page>This page is blank and has no content.</blank-page>')
    const [archive] = await search(ada, { query: 'archive', filters: { content_status: 'archived_only' } })
    const long = await use(notion, ada, 'fetch', { id: archive?.id })
    expect(long['truncated']).toBe(true)
    expect((long['unknown_block_ids'] as string[]).length).toBeLessThanOrEqual(50)
    expect(long['unknown_block_count']).toBeGreaterThan(0)
  })

  it('of a database shows its sources and views, each of which can be fetched', async () => {
    const [tasks] = (await search(ada, { query: 'tasks' })).filter(({ type }) => type === 'database')
    const result = await use(notion, ada, 'fetch', { id: tasks?.id })
    const text = String(result['text'])
    expect(result).toMatchObject({ metadata: { type: 'database' }, title: 'Tasks' })
    expect(text).toContain('The title of this Database is: Tasks')
    expect(text).toMatch(/CREATE TABLE IF NOT EXISTS "collection:\/\/[0-9a-f-]{36}" \(/)
    expect(text).toContain('"date:Due:start" TEXT')
    const source = /{{(collection:\/\/[0-9a-f-]{36})}}/.exec(text)?.[1]
    const view = /{{(view:\/\/[0-9a-f-]{36})}}/.exec(text)?.[1]
    expect(await use(notion, ada, 'fetch', { id: source })).toMatchObject({
      metadata: { type: 'data_source' },
      title: 'Tasks',
    })
    expect(await use(notion, ada, 'fetch', { id: view })).toMatchObject({
      metadata: { type: 'view' },
      title: 'All tasks',
    })
  })

  it('of a row shows its properties and the database above it', async () => {
    const [row] = await search(ada, { query: 'record the two-minute demo' })
    const text = String((await use(notion, ada, 'fetch', { id: row?.id }))['text'])
    expect(text).toContain('"Blocked":"__YES__"')
    expect(text).toContain('"date:Due:start":"2026-10-09"')
    expect(text).toMatch(
      /<parent-data-source url="collection:\/\/[0-9a-f-]{36}" name="Tasks"\/>\n<ancestor-2-database /,
    )
  })

  it('of a document and of discussions works too', async () => {
    const spec = await use(notion, ada, 'fetch', { id: 'notion://docs/enhanced-markdown-spec' })
    expect(spec['text']).toContain('# Page content in Markdown')
    const [found] = await search(ada, { query: 'launch plan' })
    const result = await use(notion, ada, 'fetch', { id: found?.id, include_discussions: true })
    expect(result['discussions']).toContain('total-count="2"')
  })

  it.each([
    ['that is nowhere', '00000000-0000-4000-8000-000000000000', 'object_not_found', 404],
    ['that is no id', 'the launch plan', 'validation_error', 400],
    ['in an unknown document', 'notion://docs/secrets', 'object_not_found', 404],
    ['in an unknown source', 'collection://00000000-0000-4000-8000-000000000000', 'object_not_found', 404],
  ])('of something %s is refused', async (_, id, code, status) => {
    expect(await toolRefusal(notion, ada, 'fetch', { id })).toMatchObject({ code, status })
  })

  it('of another user’s page returns the same error as of a missing page', async () => {
    const [goals] = await search(ben, { query: 'goals for the year' })
    const [launch] = await search(adaAtNorthwind, { query: 'launch plan' })
    for (const id of [goals?.id ?? '', launch?.id ?? '']) {
      const refused = await toolRefusal(notion, ada, 'fetch', { id })
      expect(refused).toEqual({
        code: 'object_not_found',
        status: 404,
        message: `Could not find page or database with ID: ${id}. Make sure the relevant pages and databases are shared with you.`,
      })
    }
  })
})

describe('people and teamspaces', () => {
  it('are listed page by page, and one by one', async () => {
    const first = await use(notion, ada, 'get-users', { page_size: 1 })
    expect(first).toEqual({
      results: [{ type: 'person', id: PEOPLE.ada.id, name: 'Ada Sandberg', email: 'ada@acme.test' }],
      has_more: true,
      next_cursor: 'offset:1',
    })
    const second = await use(notion, ada, 'get-users', { page_size: 1, start_cursor: 'offset:1' })
    expect(second).toMatchObject({ results: [{ name: 'Ben Okafor' }], has_more: false })
    expect(await use(notion, ben, 'get-users', { user_id: 'self' })).toMatchObject({ results: [{ id: PEOPLE.ben.id }] })
    expect(await use(notion, ada, 'get-users', { query: 'ben@' })).toMatchObject({ results: [{ name: 'Ben Okafor' }] })
    expect(await toolRefusal(notion, ada, 'get-users', { start_cursor: 'x' })).toMatchObject({
      code: 'validation_error',
    })
    expect(await toolRefusal(notion, ada, 'get-users', { user_id: PEOPLE.cleo.id })).toMatchObject({ status: 404 })
  })

  it('are distinguished by membership', async () => {
    const names = (result: Json, key: string) => (result[key] as { name: string }[]).map(({ name }) => name)
    const forAda = await use(notion, ada, 'get-teams')
    expect(names(forAda, 'joinedTeams')).toEqual(['Product', 'People'])
    expect(names(forAda, 'otherTeams')).toEqual(['Engineering'])
    expect(forAda['hasMore']).toBe(false)
    expect(names(await use(notion, ben, 'get-teams', { query: 'engin' }), 'joinedTeams')).toEqual(['Engineering'])
  })
})

describe('lists of pages', () => {
  it('return favorite, private, recent and shared pages', async () => {
    const listed = async (kind: string, input: Json = {}) => use(notion, ada, `list-${kind}-pages`, input)
    expect(await listed('favorite', { limit: 1 })).toEqual({
      results: [{ type: 'page', url: expect.stringContaining('https://'), title: 'Launch plan', icon: '🚀' }],
      nextCursor: 'offset:1',
    })
    expect(await listed('favorite', { limit: 1, cursor: 'offset:1' })).toMatchObject({
      results: [{ title: 'Product roadmap' }],
    })
    expect(await listed('private')).toMatchObject({ results: [{ title: "Ada's scratchpad" }] })
    expect((await listed('recent'))['results']).toHaveLength(3)
    expect(await listed('shared')).toMatchObject({ results: [{ title: 'Draft: conference talk about search' }] })
    expect(await use(notion, ben, 'list-favorite-pages')).toEqual({ results: [] })
  })
})

describe('tool access', () => {
  it('lists the usable tools by name', async () => {
    const access = await use(notion, ada, 'get-tool-access')
    expect(access).toMatchObject({
      search: { status: 'available' },
      'query-data-sources': { status: 'available' },
      'spawn-session': { status: 'not_enabled' },
    })
    expect(await use(notion, ada, 'get-tool-access', { tool_names: ['notion-search', 'nonsense'] })).toEqual({
      search: { status: 'available' },
    })
    expect(await use(notion, ada, 'get-tool-access', { tool_names: [] })).toEqual({})
  })

  it('depends on the plan', async () => {
    const access = await use(notion, adaAtNorthwind, 'get-tool-access', { tool_names: ['query-data-sources'] })
    expect(access).toEqual({ 'query-data-sources': { status: 'plan_required', required_plan: 'business' } })
    const input = { data: { mode: 'rows', data_source_url: 'collection://x' } }
    expect(await toolRefusal(notion, adaAtNorthwind, 'query-data-sources', input)).toMatchObject({
      code: 'restricted_resource',
    })
    const spawn = { agent_url: 'agent://a/b', initial_message: 'hello' }
    expect(await toolRefusal(notion, ada, 'spawn-session', spawn)).toMatchObject({
      code: 'restricted_resource',
      status: 403,
    })
  })

  it('of meeting notes shows the newest first', async () => {
    const result = await use(notion, ada, 'query-meeting-notes')
    expect((result['results'] as Result[]).map(({ title }) => title)).toEqual([
      'Weekly product sync: pricing',
      'Weekly product sync: launch date',
      'Customer interview: Bakery Lindqvist',
    ])
  })
})
