import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { connect, messagesOf, postMcp, simulator } from './client.ts'

type ToolEntry = {
  name: string
  description: string
  inputSchema: { type: string; properties: Record<string, unknown>; required?: string[] }
  annotations: Record<string, unknown>
}

async function list(notion: Simulator, answer = {}): Promise<ToolEntry[]> {
  const { tokens } = await connect(notion, answer)
  const [message] = await messagesOf(
    await postMcp(notion, tokens.access_token, { jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  )
  const { tools } = (message?.['result'] ?? { tools: [] }) as { tools: ToolEntry[] }
  return tools
}

const SIMULATED = [
  'search',
  'fetch',
  'create-pages',
  'update-page',
  'move-pages',
  'duplicate-page',
  'create-database',
  'update-data-source',
  'create-view',
  'update-view',
  'query-data-sources',
  'query-meeting-notes',
  'create-comment',
  'get-comments',
  'get-teams',
  'get-users',
  'list-recent-pages',
  'list-favorite-pages',
  'list-private-pages',
  'list-shared-pages',
  'get-async-task',
  'get-tool-access',
].map((name) => `notion-${name}`)

describe('the list of tools', () => {
  it('has Notion’s names, with descriptions, schemas and annotations', async () => {
    const tools = await list(await simulator())
    const names = tools.map(({ name }) => name)
    for (const name of SIMULATED) expect(names).toContain(name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, description, inputSchema, annotations } of tools) {
      expect(name).toMatch(/^notion-[a-z-]+$/)
      expect(description.length).toBeGreaterThan(20)
      expect(inputSchema.type).toBe('object')
      expect(annotations).toHaveProperty('readOnlyHint')
    }
    const byName = new Map(tools.map((tool) => [tool.name, tool]))
    expect(byName.get('notion-search')?.inputSchema.required).toEqual(['query'])
    expect(byName.get('notion-search')?.annotations).toMatchObject({ readOnlyHint: true })
    expect(byName.get('notion-update-page')?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true })
    expect(byName.get('notion-create-pages')?.annotations).toMatchObject({
      readOnlyHint: false,
      destructiveHint: false,
    })
    expect(byName.get('notion-query-data-sources')?.inputSchema.properties['data']).toHaveProperty('anyOf')
  })

  it('is the same on every plan, or that of the plan', async () => {
    const notion = await simulator()
    const everything = await list(notion, { workspace: 'Northwind' })
    expect(everything.map(({ name }) => name)).toContain('notion-query-data-sources')
    notion.options.toolList = 'by-plan'
    const usable = (await list(notion, { workspace: 'Northwind' })).map(({ name }) => name)
    expect(usable).toContain('notion-search')
    expect(usable).not.toContain('notion-query-data-sources')
    expect(usable).not.toContain('notion-spawn-session')
    expect((await list(notion)).map(({ name }) => name)).toContain('notion-query-data-sources')
  })

  it('is the configured list', async () => {
    const notion = await simulator({ options: { toolList: ['notion-fetch'], testTools: true } })
    expect((await list(notion)).map(({ name }) => name)).toEqual([
      'notion-fetch',
      'simulator-stream',
      'simulator-wait',
      'simulator-payload',
    ])
  })
})
