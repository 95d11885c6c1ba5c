/** Whether a `Content-Type` names JSON, whatever its parameters: clients write `charset=utf8` and worse. */
export const isJson = (contentType: string | null | undefined): boolean =>
  /^(application\/json|[\w.-]+\/[\w.-]+\+json)$/.test(essence(contentType))

export const isEventStream = (contentType: string | null | undefined): boolean =>
  essence(contentType) === 'text/event-stream'

/** What may leave `/api`: a browser shows none of it as a page. */
export const mayLeaveApi = (contentType: string | null | undefined): boolean =>
  isJson(contentType) || isEventStream(contentType)

/** Type and subtype ([RFC 9110 §8.3.1](https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1)). */
const essence = (contentType: string | null | undefined): string =>
  (contentType?.split(';')[0] ?? '').trim().toLowerCase()
