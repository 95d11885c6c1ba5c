import { describe, expect, it } from 'vitest'
import { resultBlocks } from './result-blocks.ts'

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

describe('the blocks of a result', () => {
  it.each([
    ['text', { type: 'text', text: 'Hello' }, { kind: 'text', text: 'Hello' }],
    ['text that is a number', { type: 'text', text: '12' }, { kind: 'text', text: '12' }],
    ['text that is broken JSON', { type: 'text', text: '{"a":' }, { kind: 'text', text: '{"a":' }],
    ['JSON', { type: 'text', text: '{"a":1}' }, { kind: 'json', value: { a: 1 } }],
    [
      'an image',
      { type: 'image', data: PIXEL, mimeType: 'image/png' },
      { kind: 'image', mediaType: 'image/png', data: PIXEL },
    ],
    [
      'audio',
      { type: 'audio', data: 'AAAA', mimeType: 'audio/mpeg' },
      { kind: 'audio', mediaType: 'audio/mpeg', bytes: 3 },
    ],
    [
      'an image that may run scripts',
      { type: 'image', data: 'AAAA', mimeType: 'image/svg+xml' },
      { kind: 'file', mediaType: 'image/svg+xml' },
    ],
    ['an image that is no base64', { type: 'image', data: '"><script>', mimeType: 'image/png' }, { kind: 'file' }],
    ['a media type that breaks out', { type: 'audio', data: 'AAAA', mimeType: 'audio/x;base64,"' }, { kind: 'file' }],
    [
      'a link',
      { type: 'resource_link', uri: 'https://a.test/1', name: 'one', title: 'One', description: 'First' },
      { kind: 'link', uri: 'https://a.test/1', name: 'One', description: 'First' },
    ],
    ['a link without a name', { type: 'resource_link', uri: 'notion://1' }, { kind: 'link', name: 'notion://1' }],
    [
      'an embedded text',
      { type: 'resource', resource: { uri: 'a:1', text: 'Inside' } },
      { kind: 'text', text: 'Inside' },
    ],
    [
      'an embedded file',
      { type: 'resource', resource: { uri: 'a:1', mimeType: 'application/pdf', blob: 'AAAA' } },
      { kind: 'file', name: 'a:1', mediaType: 'application/pdf', bytes: 3 },
    ],
    ['an unknown type', { type: 'hologram', depth: 3 }, { kind: 'other', type: 'hologram' }],
    ['a text without text', { type: 'text' }, { kind: 'other' }],
    ['no object', 'text', { kind: 'other' }],
  ])('hold %s', (_, block, expected) => {
    expect(resultBlocks({ content: [block] })).toEqual([expect.objectContaining(expected)])
  })

  it('hold structured content, unless a text says the same', () => {
    const structuredContent = { count: 2, names: ['a', 'b'] }
    const json = { kind: 'json', value: structuredContent, text: JSON.stringify(structuredContent) }
    expect(resultBlocks({ content: [], structuredContent })).toEqual([json])
    expect(resultBlocks({ structuredContent })).toEqual([json])
    const same = { type: 'text', text: JSON.stringify(structuredContent, null, 2) }
    expect(resultBlocks({ content: [same], structuredContent })).toHaveLength(1)
    const summary = { type: 'text', text: 'Two names' }
    expect(resultBlocks({ content: [summary], structuredContent })).toHaveLength(2)
  })

  it.each([
    [undefined, []],
    [null, []],
    [{ content: [] }, []],
    ['plain', [{ kind: 'text', text: 'plain' }]],
    [{ toolResult: 1 }, [{ kind: 'json', value: { toolResult: 1 }, text: '{"toolResult":1}' }]],
  ])('exist also for a result that is %j', (result, expected) => {
    expect(resultBlocks(result)).toEqual(expected)
  })
})
