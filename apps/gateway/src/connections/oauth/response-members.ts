/** Reads members of authorization servers' responses without trusting their types. */

/** An HTTP response whose complete body has been read, within a size limit. */
export interface OAuthResponse {
  readonly status: number
  readonly body: string
}

export type Members = Readonly<Record<string, unknown>>

/**
 * The members of a JSON object, whatever the content type. The last value of a repeated member counts. Null if the body is not a JSON object.
 */
export function jsonMembers(body: string): Members | null {
  try {
    const value: unknown = JSON.parse(body.replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null
  } catch {
    return null
  }
}

/** Form-encoded members ([WHATWG URL §5.1](https://url.spec.whatwg.org/#urlencoded-parsing)). The last value of a repeated member counts. */
export const formMembers = (body: string): Members => Object.fromEntries(new URLSearchParams(body.trim()))

/** Non-empty text that is valid in a header: RFC 6749's VSCHAR, without surrounding spaces. Undefined for everything else. */
export function headerText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) ? value : undefined
}

/**
 * The error code of a refusal in lower case: `error` ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)), or a non-standard
 * member in use. `http_<status>` if there is none, so that a server's text is never displayed or stored.
 */
export function errorCodeOf(members: Members, status: number): string {
  const nested = [members['error'], firstOf(members['errors'])].filter(isObject)
  const candidates = [
    members['error'],
    ...nested.flatMap((inner) => [inner['error'], inner['code'], inner['type']]),
    members['error_code'],
    members['code'],
  ]
  const code = candidates.find(
    (candidate): candidate is string => typeof candidate === 'string' && WELL_FORMED.test(candidate),
  )
  return code?.toLowerCase() ?? `http_${status}`
}

/** The grammar of RFC 6749 for error codes, without spaces and quotes. */
const WELL_FORMED = /^[\w.-]{1,60}$/

const firstOf = (value: unknown): unknown => (Array.isArray(value) ? value[0] : undefined)

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null
