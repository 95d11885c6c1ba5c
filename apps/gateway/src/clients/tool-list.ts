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
 * Computes the edits that remove from a response to `tools/list` all tools that the caller may not call. All bytes outside of the edits
 * remain. Because a filtered response differs between callers, `cacheScope` is changed from `public` to `private`.
 *
 * Member names are compared case-insensitively, as some parsers do.
 *
 * @returns undefined if a parser could find other tools than this function: for anything but JSON-RPC errors, requests and results whose
 * `tools`, if present, is an array.
 */
export function toolListEdits(response: Buffer, mayCall: (name: string) => boolean): Edit[] | undefined {
  if (!isJson(response)) return undefined
  const edits: Edit[] = []
  let isFilterable = true
  const read = (at: number): void => {
    isFilterable &&= isObject(response, at) && collectMessageEdits(response, at, mayCall, edits)
  }
  const first = firstValue(response)
  if (isArray(response, first)) eachElement(response, first, read)
  else read(first)
  return isFilterable ? edits : undefined
}

/** @returns false if the value cannot be filtered reliably. */
function collectMessageEdits(response: Buffer, at: number, mayCall: (name: string) => boolean, edits: Edit[]): boolean {
  let isMessage = false
  let isFilterable = true
  eachMember(response, at, (name, start) => {
    const folded = foldedCase(name)
    isMessage ||= folded === 'result' || folded === 'error' || folded === 'method'
    if (folded === 'result')
      isFilterable &&= isObject(response, start) && collectResultEdits(response, start, mayCall, edits)
  })
  return isMessage && isFilterable
}

/** @returns false if the value cannot be filtered reliably. */
function collectResultEdits(response: Buffer, at: number, mayCall: (name: string) => boolean, edits: Edit[]): boolean {
  const resultEdits: Edit[] = []
  let hasTools = false
  let isFilterable = true
  eachMember(response, at, (name, start, end) => {
    const folded = foldedCase(name)
    if (folded === 'tools') {
      hasTools = true
      if (isArray(response, start)) resultEdits.push(...toolEdits(response, start, mayCall))
      else isFilterable = false
    } else if (folded === 'cachescope' && stringOf(response, start, end) === 'public') {
      resultEdits.push({ start, end, text: '"private"' })
    }
  })
  if (hasTools) edits.push(...resultEdits)
  return isFilterable
}

function toolEdits(response: Buffer, at: number, mayCall: (name: string) => boolean): Edit[] {
  const edits: Edit[] = []
  /** End of the last tool to keep. */
  let keptEnd = -1
  /** Start and end of the current run of tools to remove. */
  let removeStart = -1
  let removeEnd = -1
  eachElement(response, at, (start, end) => {
    if (!isCallable(response, start, mayCall)) {
      if (removeStart === -1) removeStart = start
      removeEnd = end
      return
    }
    // Includes the comma after the run.
    if (removeStart !== -1) edits.push({ start: removeStart, end: start, text: '' })
    removeStart = -1
    keptEnd = end
  })
  // At the end of the array, removes the comma before the run instead.
  if (removeStart !== -1) edits.push({ start: keptEnd === -1 ? removeStart : keptEnd, end: removeEnd, text: '' })
  return edits
}

function isCallable(response: Buffer, at: number, mayCall: (name: string) => boolean): boolean {
  if (!isObject(response, at)) return false
  const names: (string | undefined)[] = []
  eachMember(response, at, (name, start, end) => {
    if (foldedCase(name) === 'name') names.push(stringOf(response, start, end))
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
