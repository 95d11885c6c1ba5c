/** A parameter of a media type ([RFC 9110 §5.6.6](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.6)), which may be empty after the semicolon. */
const PARAMETER = /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]+))?/y
/** The only character set of JSON, with the alias without a hyphen. */
const UTF_8 = /^"?utf-?8"?$/i

/**
 * True if every receiver decodes a body of this type as UTF-8. A server that honours another `charset`, or finds one where this parser does
 * not, would read a different message than the one checked here.
 */
export function isInUtf8(contentType: string): boolean {
  if (!/charset/i.test(contentType)) return true
  let count = 0
  PARAMETER.lastIndex = contentType.indexOf(';')
  if (PARAMETER.lastIndex === -1) return false
  for (let at = PARAMETER.lastIndex; at < contentType.length; at = PARAMETER.lastIndex) {
    const [text, name, value = ''] = PARAMETER.exec(contentType) ?? []
    // White space may follow the last parameter.
    if (text === undefined) return count === 1 && contentType.slice(at).trim() === ''
    if (name?.toLowerCase() === 'charset') {
      count++
      if (!UTF_8.test(value)) return false
    } else if (/charset/i.test(text)) return false
  }
  return count === 1
}

/** True if `Content-Encoding` is absent or `identity`. */
export const isUnencoded = (contentEncoding: string | undefined): boolean =>
  (contentEncoding ?? '').split(',').every((coding) => /^(identity)?$/i.test(coding.trim()))
