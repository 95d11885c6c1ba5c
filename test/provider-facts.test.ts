import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isReadOnlyTool } from '@nmg/contract'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'

/** The files that may name Notion's addresses and tools. Everything else knows OAuth and MCP only. */
const PLACES: Record<string, readonly string[]> = {
  'apps/gateway/src': ['config.ts', 'connections/identify-workspace.ts'],
  'packages/contract/src': ['notion-tools.ts'],
  'packages/outbound/src': [],
  'packages/process/src': [],
  // The presentation of known tools. All others are presented by their schema.
  'apps/web/authorization-server': [],
  'apps/web/components': [],
  'apps/web/features': [
    'chat/scripted-model.ts',
    'chat/tool-result-view.tsx',
    'chat/tool-words.ts',
    'tools/tool-panel.tsx',
    'tools/tool-views.tsx',
  ],
  'apps/web/lib': [],
  'apps/web/server': [],
}

const ADDRESS = /\b(?:mcp|api|www)\.notion\.(?:com|so)\b/
/** A tool's name in quotes. The product's own name begins like one. */
const TOOL = /['"`]notion-(?!mcp-gateway|connection['"`]|key['"`])[a-z-]+['"`]/

const withoutComments = (source: string) => source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')

/** The files of a folder that name a fact of the provider. */
function filesWithFacts(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .filter((file) => {
      const source = withoutComments(readFileSync(join(repositoryRoot, folder, file), 'utf8'))
      return ADDRESS.test(source) || TOOL.test(source)
    })
    .toSorted()
}

describe("Notion's addresses and tools", () => {
  it.each(Object.entries(PLACES))('are named in %s only by %j', (folder, files) => {
    expect(filesWithFacts(folder)).toEqual(files)
  })

  it.each([
    'notion-create-pages',
    'notion-update-page',
    'notion-move-pages',
    'notion-duplicate-page',
    'notion-create-database',
    'notion-update-data-source',
    'notion-create-comment',
    'notion-tool-of-tomorrow',
  ])('do not include %s among the tools that only read', (name) => {
    expect(isReadOnlyTool(name)).toBe(false)
  })
})
