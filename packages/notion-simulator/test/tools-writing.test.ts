import { describe, expect, it } from 'vitest'
import { SECOND } from '../src/clock.ts'
import { seededId, type Simulator } from '../src/index.ts'
import { connect, type Json, simulator, toolRefusal, use } from './client.ts'

const seeded = (kind: string, key: string) => seededId(`Acme/${kind}/${key}`)
const LAUNCH_PLAN = seeded('page', 'launch-plan')
const MEETINGS = seeded('page', 'meetings')
const TASKS = seeded('data-source', 'tasks')

async function ada(): Promise<{ notion: Simulator; token: string }> {
  const notion = await simulator()
  return { notion, token: (await connect(notion)).tokens.access_token }
}

const textOf = async (notion: Simulator, token: string, id: unknown) =>
  String((await use(notion, token, 'fetch', { id }))['text'])

type Created = { pages: { id: string; url: string; properties: Json }[] }
async function create(notion: Simulator, token: string, input: Json): Promise<Created['pages']> {
  return ((await use(notion, token, 'create-pages', input)) as unknown as Created).pages
}

describe('create-pages', () => {
  it('below a page creates pages that can be fetched', async () => {
    const { notion, token } = await ada()
    const pages = await create(notion, token, {
      parent: { page_id: LAUNCH_PLAN },
      pages: [
        { properties: { title: 'Press list' }, content: '- The Daily Test', icon: '📰' },
        { properties: { title: 'Empty' } },
      ],
    })
    expect(pages).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        url: expect.stringMatching(/^https:\/\/app\.notion\.com\/p\/[0-9a-f]{32}$/),
        properties: { title: 'Press list' },
      },
      expect.objectContaining({ properties: { title: 'Empty' } }),
    ])
    const result = await use(notion, token, 'fetch', { id: pages[0]?.url })
    expect(result).toMatchObject({ title: 'Press list', path: 'Product / Launch plan', icon: { emoji: '📰' } })
    expect(result['text']).toContain('- The Daily Test')
  })

  it('without a parent creates private pages', async () => {
    const { notion, token } = await ada()
    const [page] = await create(notion, token, { pages: [{ properties: { title: 'Mine' } }], creation_mode: 'draft' })
    expect((await use(notion, token, 'fetch', { id: page?.id }))['path']).toBe('Private')
    const ben = (await connect(notion, { user: 'ben' })).tokens.access_token
    expect(await toolRefusal(notion, ben, 'fetch', { id: page?.id })).toMatchObject({ status: 404 })
  })

  it('in a data source checks the properties and uses templates', async () => {
    const { notion, token } = await ada()
    const [page] = await create(notion, token, {
      parent: { data_source_id: TASKS },
      pages: [
        {
          properties: {
            Name: 'Call the printer',
            Status: 'In progress',
            Effort: 2,
            Priority: 'Urgent',
            'date:Due:start': '2026-10-05',
          },
          template_id: seeded('template', 'tasks'),
        },
      ],
    })
    expect(page?.properties).toMatchObject({ title: 'Call the printer', Status: 'In progress', Effort: 2 })
    expect(await textOf(notion, token, page?.id)).toContain('## Done when')
    expect(await textOf(notion, token, `collection://${TASKS}`)).toContain('"Urgent"')
  })

  it.each<[string, Json]>([
    [
      'an unknown property',
      { pages: [{ properties: { Name: 'x', Colour: 'red' } }], parent: { data_source_id: TASKS } },
    ],
    ['a date in one piece', { pages: [{ properties: { Due: '2026-10-05' } }], parent: { data_source_id: TASKS } }],
    ['a number as text', { pages: [{ properties: { Effort: '2' } }], parent: { data_source_id: TASKS } }],
    ['a checkbox as yes', { pages: [{ properties: { Blocked: 'yes' } }], parent: { data_source_id: TASKS } }],
    ['an unknown status', { pages: [{ properties: { Status: 'Later' } }], parent: { data_source_id: TASKS } }],
    [
      'a property outside a database',
      { pages: [{ properties: { Status: 'Done' } }], parent: { page_id: LAUNCH_PLAN } },
    ],
    ['drafts with a parent', { pages: [{}], parent: { page_id: LAUNCH_PLAN }, creation_mode: 'draft' }],
    ['a template with content', { pages: [{ template_id: 'x', content: 'y' }], parent: { data_source_id: TASKS } }],
  ])('refuses %s', async (_, input) => {
    const { notion, token } = await ada()
    const before = notion.workspaces[0]?.pages.size
    expect(await toolRefusal(notion, token, 'create-pages', input)).toMatchObject({
      code: 'validation_error',
      status: 400,
    })
    expect(notion.workspaces[0]?.pages.size).toBe(before)
  })

  it('rejects an invisible parent', async () => {
    const { notion, token } = await ada()
    const input = { pages: [{}], parent: { page_id: seeded('page', 'ben-goals') } }
    expect(await toolRefusal(notion, token, 'create-pages', input)).toMatchObject({ code: 'object_not_found' })
  })

  it('returns a task at once when allowed', async () => {
    const { notion, token } = await ada()
    const input = { pages: [{ properties: { title: 'Later' } }], allow_async: true }
    const task = await use(notion, token, 'create-pages', input)
    expect(task).toEqual({
      object: 'async_task',
      id: expect.stringMatching(/^task_/),
      status: 'queued',
      status_url: `https://api.notion.com/v1/async_tasks/${String(task['id'])}`,
      created_time: '2026-10-01T12:00:00.000Z',
      poll_after_seconds: 2,
      operation: { surface: 'mcp', name: 'create_pages' },
    })
    notion.advance(SECOND)
    expect(await use(notion, token, 'get-async-task', { task_id: task['id'] })).toMatchObject({ status: 'running' })
    notion.advance(SECOND)
    const done = await use(notion, token, 'get-async-task', { task_id: task['id'] })
    expect(done).toMatchObject({ status: 'succeeded', result: { pages: [{ properties: { title: 'Later' } }] } })
    expect(await toolRefusal(notion, token, 'get-async-task', { task_id: 'task_x' })).toMatchObject({ status: 404 })
  })
})

describe('update-page', () => {
  const update = async (input: Json) => {
    const { notion, token } = await ada()
    const result = await use(notion, token, 'update-page', { page_id: LAUNCH_PLAN, ...input })
    expect(result).toEqual({ page_id: LAUNCH_PLAN, warnings: [] })
    return textOf(notion, token, LAUNCH_PLAN)
  }

  it('changes properties', async () => {
    const { notion, token } = await ada()
    const page_id = seeded('page', 'task-0')
    const properties = { Status: 'Done', title: 'Announcement written' }
    await use(notion, token, 'update-page', { page_id, command: 'update_properties', properties })
    const result = await use(notion, token, 'fetch', { id: page_id })
    expect(result).toMatchObject({ title: 'Announcement written', page_last_edited_at: '2026-10-01T12:00:00.000Z' })
    expect(result['text']).toContain('"Status":"Done"')
  })

  it('replaces parts of the content', async () => {
    const updates = [
      { old_str: 'Press briefing', new_str: 'Press call' },
      { old_str: '- [ ]', new_str: '- [x]', replace_all_matches: true },
    ]
    const text = await update({ command: 'update_content', content_updates: updates })
    expect(text).toContain('Press call')
    expect(text).not.toContain('- [ ]')
  })

  it('replaces, inserts and verifies', async () => {
    expect(await update({ command: 'replace_content', new_str: 'All new.' })).toContain(
      '<content>\nAll new.\n</content>',
    )
    const start = { command: 'insert_content', content: 'First.', position: { type: 'start' } }
    expect(await update(start)).toContain('<content>\nFirst.\n# Goal')
    expect(await update({ command: 'insert_content', content: 'Last.' })).toContain('\nLast.\n</content>')
    const verification = { command: 'update_verification', verification_status: 'unverified' }
    expect(await update(verification)).toContain('<page-verification status="unverified"/>')
  })

  it.each<[string, Json, string]>([
    [
      'text that is not there',
      { command: 'update_content', content_updates: [{ old_str: 'nowhere', new_str: '' }] },
      'not found',
    ],
    [
      'text that is there twice',
      { command: 'update_content', content_updates: [{ old_str: '- [x]', new_str: '' }] },
      '2 times',
    ],
    ['a command without its input', { command: 'replace_content' }, 'new_str is required'],
  ])('refuses %s', async (_, input, reason) => {
    const { notion, token } = await ada()
    const refused = await toolRefusal(notion, token, 'update-page', { page_id: LAUNCH_PLAN, ...input })
    expect(refused).toMatchObject({ code: 'validation_error', message: expect.stringContaining(reason) })
  })

  it('deletes child pages only when allowed', async () => {
    const { notion, token } = await ada()
    const replace = { page_id: MEETINGS, command: 'replace_content', new_str: 'Nothing left.' }
    const refused = await toolRefusal(notion, token, 'update-page', replace)
    expect(refused).toMatchObject({
      code: 'validation_error',
      message: expect.stringContaining('allow_deleting_content'),
    })
    await use(notion, token, 'update-page', { ...replace, allow_deleting_content: true })
    expect(await toolRefusal(notion, token, 'fetch', { id: seeded('page', 'weekly-1') })).toMatchObject({ status: 404 })
  })

  it('keeps child pages whose line stays', async () => {
    const { notion, token } = await ada()
    const updates = [{ old_str: 'newest first', new_str: 'oldest first' }]
    await use(notion, token, 'update-page', { page_id: MEETINGS, command: 'update_content', content_updates: updates })
    expect(await textOf(notion, token, MEETINGS)).toContain('oldest first')
    await use(notion, token, 'fetch', { id: seeded('page', 'weekly-1') })
  })

  it('rejects invisible pages', async () => {
    const { notion, token } = await ada()
    const input = { page_id: seeded('page', 'ben-goals'), command: 'replace_content', new_str: 'ha' }
    expect(await toolRefusal(notion, token, 'update-page', input)).toMatchObject({ code: 'object_not_found' })
  })
})

describe('moving and copying', () => {
  it('moves pages below another one', async () => {
    const { notion, token } = await ada()
    const ids = [seeded('page', 'weekly-1'), seeded('page', 'weekly-2')]
    const input = { page_or_database_ids: ids, new_parent: { page_id: LAUNCH_PLAN } }
    expect(((await use(notion, token, 'move-pages', input))['moved'] as unknown[]).length).toBe(2)
    for (const id of ids) {
      expect((await use(notion, token, 'fetch', { id }))['path']).toBe('Product / Launch plan')
    }
    await use(notion, token, 'move-pages', { page_or_database_ids: ids, new_parent: { type: 'workspace' } })
    expect((await use(notion, token, 'fetch', { id: ids[0] }))['path']).toBe('Private')
  })

  it('moves no page into itself, and none at all when one is missing', async () => {
    const { notion, token } = await ada()
    const child = seeded('page', 'weekly-1')
    const loop = { page_or_database_ids: [MEETINGS], new_parent: { page_id: child } }
    expect(await toolRefusal(notion, token, 'move-pages', loop)).toMatchObject({ code: 'validation_error' })
    const missing = { page_or_database_ids: [child, seeded('page', 'nothing')], new_parent: { page_id: LAUNCH_PLAN } }
    expect(await toolRefusal(notion, token, 'move-pages', missing)).toMatchObject({ code: 'object_not_found' })
    expect((await use(notion, token, 'fetch', { id: child }))['path']).toBe('Product / Meeting notes')
  })

  it('copies a page, whose content follows later', async () => {
    const { notion, token } = await ada()
    const { page_id } = await use(notion, token, 'duplicate-page', { page_id: LAUNCH_PLAN })
    expect(await textOf(notion, token, page_id)).toContain('<blank-page>')
    notion.advance(2 * SECOND)
    expect(await textOf(notion, token, page_id)).toContain('# Goal')
  })
})

describe('comments', () => {
  const discussions = async (notion: Simulator, token: string, input: Json = {}) =>
    String((await use(notion, token, 'get-comments', { page_id: LAUNCH_PLAN, ...input }))['text'])

  it('are returned as XML, those on text selections when requested', async () => {
    const { notion, token } = await ada()
    expect(await discussions(notion, token)).toMatch(
      /^<discussions total-count="2" shown-count="1"><discussion id="discussion:\/\//,
    )
    const all = await discussions(notion, token, { include_all_blocks: true })
    expect(all).toContain('shown-count="2"')
    expect(all).toContain(
      'comment-count="2" resolved="false" type="inline" context="inline" text-context="Public launch"',
    )
    expect(all).toMatch(
      /<comment id="[^"]+" url="https:[^"]+" user-url="user:\/\/[^"]+" user-name="Ben Okafor" datetime="2026-09-30T06:00:00.000Z">Can we/,
    )
  })

  it('are written on the page, on a selection, and as replies', async () => {
    const { notion, token } = await ada()
    const comment = (input: Json) => use(notion, token, 'create-comment', { page_id: LAUNCH_PLAN, ...input })
    const page = await comment({ markdown: 'Looks good & ready' })
    expect(page).toMatchObject({
      status: 'success',
      discussion_id: expect.stringContaining(`discussion://${LAUNCH_PLAN}/`),
    })
    await comment({
      rich_text: [{ text: { content: 'Me ' } }, { text: { content: 'too' } }],
      discussion_id: page['discussion_id'],
    })
    await comment({ markdown: 'Who?', selection_with_ellipsis: 'Status page...reviewed' })
    const all = await discussions(notion, token, { include_all_blocks: true })
    expect(all).toContain('Looks good &amp; ready')
    expect(all).toContain('>Me too</comment>')
    expect(all).toContain('text-context="Status page text written and reviewed"')
    const one = await discussions(notion, token, { discussion_id: page['discussion_id'] })
    expect(one).toContain('shown-count="1"')
  })

  it.each<[string, Json, string]>([
    ['that are empty', { markdown: '' }, 'validation_error'],
    ['in both forms', { markdown: 'a', rich_text: [{ text: { content: 'b' } }] }, 'validation_error'],
    ['on text that is not there', { markdown: 'a', selection_with_ellipsis: 'no...where' }, 'validation_error'],
    ['in an unknown discussion', { markdown: 'a', discussion_id: 'discussion://a/b/c' }, 'object_not_found'],
  ])('%s are rejected', async (_, input, code) => {
    const { notion, token } = await ada()
    expect(await toolRefusal(notion, token, 'create-comment', { page_id: LAUNCH_PLAN, ...input })).toMatchObject({
      code,
    })
  })
})
