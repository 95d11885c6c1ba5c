import { ToolError } from '../tool.ts'

/** Parses a cursor such as `offset:3`. Cursors are opaque to clients; other values are rejected. */
export function offsetFrom(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  const offset = /^offset:(\d+)$/.exec(cursor)?.[1]
  if (offset === undefined) throw new ToolError('validation_error', 'The cursor is not one that this tool gave out.')
  return Number(offset)
}
