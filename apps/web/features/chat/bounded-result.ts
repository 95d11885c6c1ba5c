/** How much of one tool result is stored and sent to readers, in characters of JSON. */
const LONGEST_RESULT = 1_000_000

interface Block {
  readonly type: string
  readonly text?: string
}

/**
 * A tool result that can be stored: what is too long is cut, and says so. Text goes first, in order; blocks that do not fit are left out whole,
 * `structuredContent` too.
 */
export function boundedResult(result: unknown, longest = LONGEST_RESULT): unknown {
  if (lengthOf(result) <= longest) return result
  const { content, isError } = Object(result) as { content?: unknown; isError?: unknown }
  const blocks = Array.isArray(content) ? (content as Block[]) : []
  let rest = longest
  const kept: Block[] = []
  let leftOut = 0
  for (const block of blocks) {
    const length = lengthOf(block)
    if (length <= rest) kept.push(block)
    else if (typeof block?.text === 'string' && rest > 0) kept.push({ type: 'text', text: cut(block.text, rest) })
    else leftOut++
    rest = Math.max(0, rest - length)
  }
  if (leftOut > 0 || kept.length === 0) {
    kept.push({ type: 'text', text: '[The rest of this result is too large, and was left out.]' })
  }
  return { content: kept, ...(isError === true && { isError }) }
}

const lengthOf = (value: unknown): number => JSON.stringify(value)?.length ?? 0

const cut = (text: string, length: number): string =>
  `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '')}\n[… ${text.length - length} more characters were left out.]`
