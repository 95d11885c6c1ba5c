import { describe, expect, it } from 'vitest'
import { scriptedModel, type LanguageModelV4 } from './scripted-model.ts'

type Prompt = Parameters<LanguageModelV4['doStream']>[0]['prompt']

async function said(prompt: Prompt): Promise<string> {
  const tools = ['notion-search', 'notion-fetch'].map((name) => ({
    type: 'function' as const,
    name,
    inputSchema: { type: 'object' as const },
  }))
  const { stream } = await scriptedModel().doStream({ prompt, tools })
  let text = ''
  for await (const part of stream) if (part.type === 'text-delta') text += part.delta
  return text
}

const result = (toolName: string, value: unknown): Prompt[number] => ({
  role: 'tool',
  content: [
    {
      type: 'tool-result',
      toolCallId: toolName,
      toolName,
      output: { type: 'content', value: [{ type: 'text', text: JSON.stringify(value) }] },
    },
  ],
})

describe('the scripted model', () => {
  it.each([3, 30])('summarizes a page of %i lines with its end, where the chat adds to it', async (count) => {
    const lines = Array.from({ length: count }, (_, line) => `Line ${line + 1} of it`)
    const text = `<page>\n<content>\n${[...lines, '- [ ] Call the printer'].join('\n')}\n</content>\n</page>`
    const summary = await said([
      { role: 'user', content: [{ type: 'text', text: 'Summarize the launch plan' }] },
      result('notion-search', { results: [{ id: '1', title: 'Launch plan', url: 'https://a.test/1' }] }),
      result('notion-fetch', { title: 'Launch plan', text }),
    ])
    expect(summary).toContain('Line 1 of it')
    expect(summary.trimEnd().endsWith('- Call the printer')).toBe(true)
    expect(summary.split('\n').length).toBeLessThan(16)
  })
})
