import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { isNavigable } from '../lib/auth-endpoints.ts'
import { mayLeaveApi } from '../lib/media-types.ts'

export const isApi = (path: string): boolean => path === '/api' || path.startsWith('/api/')

/**
 * Whether a browser asks for data of this app as if it were a page, an image or a script: a form or link of another site, or something that was
 * stored here and names an address of ours. Browsers say so in `Sec-Fetch-*`; calls of our pages have the destination `empty`.
 */
export function isNavigation({ method, headers }: IncomingMessage, path: string): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination = 'empty' } = headers
  return (mode === 'navigate' || destination !== 'empty') && !isNavigable(method ?? '', path)
}

/**
 * Lets only JSON and event streams leave `/api`: a third party's page, image or script would run in this app's origin. Any other response is
 * replaced by a problem document, whichever part of the app made it.
 *
 * @param allowedMethods of the address, for a response 405 that does not name them.
 */
export function letOnlyDataOut(response: ServerResponse, allowedMethods: () => Promise<string>): void {
  const { writeHead, write, end } = response
  let isReplaced = false

  /** Replaces the response if it must not be sent; returns true if it did. */
  const replace = (status: number): boolean => {
    if (response.headersSent || !isForeign(status, response)) return isReplaced
    isReplaced = true
    for (const name of ['content-length', 'content-encoding', 'transfer-encoding', 'etag', 'last-modified', 'vary'])
      response.removeHeader(name)
    const problem = problemInstead(status)
    response.setHeader('content-type', 'application/problem+json')
    response.setHeader('cache-control', 'no-store')
    const send = () => {
      writeHead.call(response, problem.status)
      end.call(response, JSON.stringify(problem), 'utf8')
    }
    if (problem.status !== 405 || response.hasHeader('allow')) send()
    else {
      void allowedMethods().then((allow) => {
        response.setHeader('allow', allow)
        send()
      })
    }
    return true
  }

  response.writeHead = ((status: number, ...rest: unknown[]) => {
    if (isReplaced) return response
    const headers = rest.find((each) => typeof each === 'object' && each !== null)
    for (const [name, value] of pairsOf(headers)) response.setHeader(name, value)
    return replace(status) ? response : writeHead.call(response, status)
  }) as typeof writeHead
  response.write = ((...args: Parameters<typeof write>) =>
    replace(response.statusCode) ? true : write.apply(response, args)) as typeof write
  response.end = ((...args: Parameters<typeof end>) =>
    replace(response.statusCode) ? response : end.apply(response, args)) as typeof end
}

function isForeign(status: number, response: ServerResponse): boolean {
  if (status === 204 || status === 304) return false
  const type = response.getHeader('content-type')
  if (status >= 300 && status < 400 && response.hasHeader('location')) return false
  return type === undefined ? status >= 400 : !mayLeaveApi(String(type))
}

function pairsOf(headers: unknown): [string, string | number | readonly string[]][] {
  if (Array.isArray(headers)) {
    return headers.flatMap((name: string, index) => (index % 2 === 0 ? [[name, headers[index + 1] as string]] : []))
  }
  return Object.entries((headers ?? {}) as OutgoingHttpHeaders).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
}

function problemInstead(status: number) {
  const [shown, code, title, detail] =
    status < 400
      ? ([
          502,
          'unexpected_response',
          'Unexpected response',
          'The response was neither JSON nor an event stream, so it was withheld.',
        ] as const)
      : status === 404
        ? ([404, 'not_found', 'Not found', 'Nothing was found at this address.'] as const)
        : status === 405
          ? ([405, 'method_not_allowed', 'Method not allowed', 'This address doesn’t support that method.'] as const)
          : status < 500
            ? ([status, 'invalid_request', 'The request is not valid', 'The request was rejected.'] as const)
            : ([
                status,
                'internal',
                'Internal error',
                'Something went wrong on our end. Try again in a moment.',
              ] as const)
  return { type: 'about:blank', title, status: shown, detail, code, requestId: `req_${crypto.randomUUID()}` }
}
