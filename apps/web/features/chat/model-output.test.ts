import { describe, expect, it } from 'vitest'
import { modelOutput } from './model-output.ts'

const told = (result: unknown, canSeeImages = false) => JSON.stringify(modelOutput(result, canSeeImages))

describe('what the model is told of a result', () => {
  it.each([
    ['structured content alone', { content: [], structuredContent: { answer: 42 } }, '\\"answer\\":42'],
    ['a link', { content: [{ type: 'resource_link', uri: 'https://a.test/1', name: 'One' }] }, 'https://a.test/1'],
    ['an embedded text', { content: [{ type: 'resource', resource: { uri: 'a:1', text: 'Inside' } }] }, 'Inside'],
    ['audio', { content: [{ type: 'audio', data: 'AAAA', mimeType: 'audio/mpeg' }] }, 'audio/mpeg, 3 bytes'],
    ['an image', { content: [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }] }, 'image/png, 3 bytes'],
    ['an unknown type', { content: [{ type: 'hologram', depth: 3 }] }, 'hologram'],
    ['nothing', { content: [] }, 'The tool returned nothing.'],
    [
      'a number beyond what JavaScript can count',
      { content: [{ type: 'text', text: '{"id":12345678901234567890}' }] },
      '12345678901234567890',
    ],
  ])('holds %s', (_, result, expected) => {
    expect(told(result)).toContain(expected)
  })

  it('holds an image itself where the provider takes it', () => {
    const result = { content: [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }] }
    expect(modelOutput(result, true)).toMatchObject({ value: [{ type: 'file', mediaType: 'image/png' }] })
    expect(told(result)).not.toContain('AAAA')
  })

  it('is cut over all blocks together, and says how much is missing', () => {
    const block = { type: 'text', text: 'x'.repeat(50_000) }
    const output = told({ content: [block, block] })
    expect(output.length).toBeLessThan(61_000)
    expect(output).toContain('[Cut here: 40000 more characters')
  })
})
