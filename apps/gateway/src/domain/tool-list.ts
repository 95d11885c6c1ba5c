import { eachElement, eachMember, edited, firstValue, isArray, isObject, stringOf, type Edit } from './json-bytes.ts'

/**
 * Where tools have to be cut out of the answer to `tools/list` so that only those are left that may be called. Every byte outside of the
 * edits stays. None for a text that is not such an answer.
 *
 * An answer that was cut is no longer the same for everybody: when it allows caches to share it, that is taken back.
 */
export function toolListEdits(answer: Buffer, mayCall: (name: string) => boolean): Edit[] {
  if (!isJson(answer)) return []
  const edits: Edit[] = []
  const read = (at: number): void => {
    if (!isObject(answer, at)) return
    eachMember(answer, at, (name, start) => {
      if (name === 'result' && isObject(answer, start)) readResult(answer, start, mayCall, edits)
    })
  }
  const first = firstValue(answer)
  if (isArray(answer, first)) eachElement(answer, first, read)
  else read(first)
  return edits
}

/** @see {@link toolListEdits} */
export function cutToolList(answer: Buffer, mayCall: (name: string) => boolean): Buffer {
  return edited(answer, toolListEdits(answer, mayCall))
}

function readResult(answer: Buffer, at: number, mayCall: (name: string) => boolean, edits: Edit[]): void {
  const found: Edit[] = []
  let hasTools = false
  eachMember(answer, at, (name, start, end) => {
    if (name === 'tools' && isArray(answer, start)) {
      hasTools = true
      found.push(...toolEdits(answer, start, mayCall))
    } else if (name === 'cacheScope' && stringOf(answer, start, end) === 'public') {
      found.push({ start, end, text: '"private"' })
    }
  })
  if (hasTools) edits.push(...found)
}

function toolEdits(answer: Buffer, at: number, mayCall: (name: string) => boolean): Edit[] {
  const edits: Edit[] = []
  /** Where the last tool that stays ends. */
  let keptEnd = -1
  /** Where the tools that go begin, and where the last of them ends. */
  let from = -1
  let to = -1
  eachElement(answer, at, (start, end) => {
    if (!isCallable(answer, start, mayCall)) {
      if (from === -1) from = start
      to = end
      return
    }
    // With the comma behind them.
    if (from !== -1) edits.push({ start: from, end: start, text: '' })
    from = -1
    keptEnd = end
  })
  // At the end of the list, the comma before them goes.
  if (from !== -1) edits.push({ start: keptEnd === -1 ? from : keptEnd, end: to, text: '' })
  return edits
}

function isCallable(answer: Buffer, at: number, mayCall: (name: string) => boolean): boolean {
  if (!isObject(answer, at)) return false
  const names: (string | undefined)[] = []
  eachMember(answer, at, (name, start, end) => {
    if (name === 'name') names.push(stringOf(answer, start, end))
  })
  const [name] = names
  return names.length === 1 && name !== undefined && mayCall(name)
}

function isJson(text: Buffer): boolean {
  try {
    JSON.parse(text.toString('utf8'))
    return true
  } catch {
    return false
  }
}
