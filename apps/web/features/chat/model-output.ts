import type { ToolSet } from 'ai'
import { fileSize, resultBlocks, type ResultBlock } from '@/components/notion/result-blocks.ts'

/** Size limit of a tool result for the model, in characters. The user sees all of it. */
export const LONGEST_FOR_MODEL = 60_000

export type ModelOutput = Awaited<ReturnType<NonNullable<ToolSet[string]['toModelOutput']>>>

/**
 * Converts a tool result for the model: the same blocks that the user sees, with a description of those it cannot read.
 *
 * @param canSeeImages whether the model's provider takes images in the result of a tool.
 */
export function modelOutput(result: unknown, canSeeImages: boolean): ModelOutput {
  const blocks = resultBlocks(result)
  if (blocks.length === 0) return { type: 'text', value: 'The tool returned nothing.' }
  let left = LONGEST_FOR_MODEL
  const value = blocks.map((block) => {
    if (block.kind === 'image' && canSeeImages) {
      return { type: 'file' as const, mediaType: block.mediaType, data: { type: 'data' as const, data: block.data } }
    }
    const text = cut(wordsFor(block), left)
    left = Math.max(0, left - text.length)
    return { type: 'text' as const, text }
  })
  return { type: 'content', value }
}

function wordsFor(block: ResultBlock): string {
  switch (block.kind) {
    case 'text':
    case 'json':
      return block.text
    case 'image':
      return `[An image (${block.mediaType}, ${fileSize(block.bytes)}), which the user sees and you do not]`
    case 'audio':
      return `[Audio (${block.mediaType}, ${fileSize(block.bytes)}), which the user can play and you cannot hear]`
    case 'file':
      return `[A file ${block.name} (${block.mediaType}, ${fileSize(block.bytes)}), which is not shown]`
    case 'link':
      return [`[Link] ${block.name}`, block.uri, block.description].filter(Boolean).join('\n')
    case 'other':
      return JSON.stringify(block.value) ?? ''
  }
}

const cut = (text: string, length: number): string =>
  text.length <= length
    ? text
    : `${text.slice(0, length)}\n[Cut here: ${text.length - length} more characters are shown to the user only.]`
