/** Members of the responses of authorization servers, read without trust in their types. */

/** What an HTTP response looks like to the readers of this folder. The body has been read whole, within a size limit. */
export interface OAuthResponse {
  readonly status: number
  readonly body: string
}

export type Members = Readonly<Record<string, unknown>>

/**
 * The members of a JSON object, whatever the content type says; of a repeated member the last value. Null when the body is no JSON object.
 */
export function jsonMembers(body: string): Members | null {
  try {
    const value: unknown = JSON.parse(body.replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null
  } catch {
    return null
  }
}

/** Form-encoded members ([WHATWG URL §5.1](https://url.spec.whatwg.org/#urlencoded-parsing)); of a repeated one the last value. */
export const formMembers = (body: string): Members => Object.fromEntries(new URLSearchParams(body.trim()))

/** Non-empty text that can stand in a header: RFC 6749's VSCHAR, without spaces around it. Undefined for everything else. */
export function headerText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) ? value : undefined
}

/**
 * The error code of a refusal, in lower case: `error` ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)), or where servers put
 * it instead. `http_<status>` when there is none, so that what is shown and stored never is a server's text.
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
