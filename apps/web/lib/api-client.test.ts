import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { ApiError, callApi, isOutside, messageOf, readApi, requestApi, UNREACHABLE } from './api-client.ts'

interface Reply {
  readonly status: number
  readonly body?: string
  readonly headers?: Record<string, string>
}

let server: Server
let origin: string
let reply: Reply
let received: { method: string | undefined; type: string | undefined; body: string }

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    received = { method: request.method, type: request.headers['content-type'], body }
    if (request.url === '/silent') return
    response.writeHead(reply.status, reply.headers)
    response.end(reply.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const failed = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )

const problem = {
  type: 'about:blank',
  title: 'Limit reached',
  status: 409,
  code: 'too_many',
  detail: 'Cancel an invitation first.',
  requestId: 'req_1',
}

describe('the API client', () => {
  it.each<[string, Reply, Partial<ApiError>]>([
    [
      'a problem document',
      { status: 409, body: JSON.stringify(problem) },
      { code: 'too_many', status: 409, title: 'Limit reached', message: 'Cancel an invitation first.' },
    ],
    [
      'an error of better-auth, whose message is no text for users',
      { status: 401, body: '{"code":"INVALID_PASSWORD","message":"Invalid password"}' },
      { code: 'INVALID_PASSWORD', status: 401, message: 'Something went wrong on our end. Try again in a moment.' },
    ],
    [
      'a page of a proxy',
      { status: 502, body: '<h1>Bad gateway</h1>', headers: { 'content-type': 'text/html' } },
      { code: 'internal', status: 502, message: 'Something went wrong on our end. Try again in a moment.' },
    ],
    [
      'a body that has other types than a problem',
      { status: 400, body: '{"code":7,"detail":["no"]}' },
      { code: 'internal', status: 400, message: 'Something went wrong on our end. Try again in a moment.' },
    ],
    [
      'a rate limit without a text',
      { status: 429, headers: { 'retry-after': '30' } },
      { status: 429, retryAfter: 30, message: 'Too many attempts. Wait a minute and try again.' },
    ],
    [
      'a rate limit with a text',
      {
        status: 429,
        body: JSON.stringify({ ...problem, detail: 'Wait 30 seconds.' }),
        headers: { 'retry-after': '30' },
      },
      { retryAfter: 30, message: 'Wait 30 seconds.' },
    ],
  ])('reports %s as one kind of error', async (_, given, expected) => {
    reply = given
    for (const call of [callApi(origin), readApi(origin, z.unknown()), requestApi(origin)]) {
      const error = await failed(call)
      expect(error).toBeInstanceOf(ApiError)
      expect(error).toMatchObject(expected)
    }
  })

  it('uses the explanation of the caller where there is one', async () => {
    reply = { status: 409, body: JSON.stringify(problem) }
    const explain = ({ code }: { code?: string | undefined }) => (code === 'too_many' ? 'Enough.' : undefined)
    await expect(callApi(origin, { explain })).rejects.toMatchObject({ message: 'Enough.' })
    await expect(callApi(origin, { explain: () => undefined })).rejects.toMatchObject({ message: problem.detail })
  })

  it('returns what the schema describes, and rejects what does not fit', async () => {
    const Space = z.object({ spaceId: z.string() })
    reply = { status: 200, body: '{"spaceId":"s1","more":true}' }
    expect(await readApi(origin, Space)).toEqual({ spaceId: 's1' })
    for (const body of ['{"spaceId":1}', 'null', '', '<html>']) {
      reply = { status: 200, body }
      await expect(readApi(origin, Space)).rejects.toMatchObject({ name: 'ApiError', code: 'internal', status: 200 })
    }
  })

  it('reads a response without a body as undefined', async () => {
    reply = { status: 204 }
    expect(await readApi(origin, z.optional(z.string()))).toBeUndefined()
    await expect(readApi(origin, z.string())).rejects.toMatchObject({ code: 'internal' })
  })

  it('sends a body as JSON, and none without one', async () => {
    reply = { status: 204 }
    await callApi(origin, { method: 'PATCH', body: { name: 'Ada' } })
    expect(received).toEqual({ method: 'PATCH', type: 'application/json', body: '{"name":"Ada"}' })
    await callApi(origin, { method: 'DELETE' })
    expect(received).toEqual({ method: 'DELETE', type: undefined, body: '' })
  })

  it('tells an app that cannot be reached from a call that was aborted', async () => {
    expect(await failed(callApi('http://127.0.0.1:1'))).toMatchObject({ code: UNREACHABLE, status: 0 })
    const leaving = new AbortController()
    const call = failed(callApi(`${origin}/silent`, { signal: leaving.signal }))
    leaving.abort(new Error('left'))
    expect(await call).toMatchObject({ message: 'left' })
  })
})

describe('what is shown of an error', () => {
  it('is the message of an API error, and nothing of a fault of the page', () => {
    expect(messageOf(new ApiError('x', 'Do this.'))).toBe('Do this.')
    expect(messageOf(new TypeError('x is undefined'))).toBe('Something went wrong on this page. Reload it.')
  })

  it.each([
    ['unauthenticated', true],
    ['forbidden_space', true],
    ['forbidden_role', false],
  ])('leads out of the space for %s: %s', (code, expected) => {
    expect(isOutside(new ApiError(code, ''))).toBe(expected)
    expect(isOutside(new Error(code))).toBe(false)
  })
})
