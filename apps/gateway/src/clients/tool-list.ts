import {
  eachElement,
  eachMember,
  type Edit,
  firstValue,
  foldedCase,
  isArray,
  isObject,
  stringOf,
} from '../proxy/json-bytes.ts'

/**
 * Where tools have to be cut out of the answer to `tools/list` so that only those are left that may be called. Every byte outside of the
 * edits stays. Undefined for a text in which a reader could find other tools than are found here: anything but JSON-RPC messages that are an
 * error, a request, or a result whose `tools`, if there are any, are a list. Names are compared without regard to case, as some readers do.
 *
 * An answer that was cut is no longer the same for everybody: when it allows caches to share it, that is taken back.
 */
export function toolListEdits(answer: Buffer, mayCall: (name: string) => boolean): Edit[] | undefined {
  if (!isJson(answer)) return undefined
  const edits: Edit[] = []
  let isReadable = true
  const read = (at: number): void => {
    isReadable &&= isObject(answer, at) && readMessage(answer, at, mayCall, edits)
  }
  const first = firstValue(answer)
  if (isArray(answer, first)) eachElement(answer, first, read)
  else read(first)
  return isReadable ? edits : undefined
}

/** @returns whether it could be read. */
function readMessage(answer: Buffer, at: number, mayCall: (name: string) => boolean, edits: Edit[]): boolean {
  let isMessage = false
  let isReadable = true
  eachMember(answer, at, (name, start) => {
    const folded = foldedCase(name)
    isMessage ||= folded === 'result' || folded === 'error' || folded === 'method'
    if (folded === 'result') isReadable &&= isObject(answer, start) && readResult(answer, start, mayCall, edits)
  })
  return isMessage && isReadable
}

/** @returns whether it could be read. */
function readResult(answer: Buffer, at: number, mayCall: (name: string) => boolean, edits: Edit[]): boolean {
  const found: Edit[] = []
  let hasTools = false
  let isReadable = true
  eachMember(answer, at, (name, start, end) => {
    const folded = foldedCase(name)
    if (folded === 'tools') {
      hasTools = true
      if (isArray(answer, start)) found.push(...toolEdits(answer, start, mayCall))
      else isReadable = false
    } else if (folded === 'cachescope' && stringOf(answer, start, end) === 'public') {
      found.push({ start, end, text: '"private"' })
    }
  })
  if (hasTools) edits.push(...found)
  return isReadable
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
    if (foldedCase(name) === 'name') names.push(stringOf(answer, start, end))
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
