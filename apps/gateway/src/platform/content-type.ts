/** A parameter of a media type ([RFC 9110 §5.6.6](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.6)), or none behind the semicolon. */
const PARAMETER = /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]+))?/y
/** The one character set that JSON has, and the other name that programs give it. */
const UTF_8 = /^"?utf-?8"?$/i

/**
 * Whether a body of this type is read as UTF-8 by everybody. A server that goes by another `charset`, or finds one where we do not, would
 * read another message than the one that was judged here.
 */
export function isInUtf8(contentType: string): boolean {
  if (!/charset/i.test(contentType)) return true
  let count = 0
  PARAMETER.lastIndex = contentType.indexOf(';')
  if (PARAMETER.lastIndex === -1) return false
  for (let at = PARAMETER.lastIndex; at < contentType.length; at = PARAMETER.lastIndex) {
    const [text, name, value = ''] = PARAMETER.exec(contentType) ?? []
    // Behind the last one, white space may follow.
    if (text === undefined) return count === 1 && contentType.slice(at).trim() === ''
    if (name?.toLowerCase() === 'charset') {
      count++
      if (!UTF_8.test(value)) return false
    } else if (/charset/i.test(text)) return false
  }
  return count === 1
}

/** Whether `Content-Encoding` says that the body is what it is. */
export const isPlain = (contentEncoding: string | undefined): boolean =>
  (contentEncoding ?? '').split(',').every((coding) => /^(identity)?$/i.test(coding.trim()))
