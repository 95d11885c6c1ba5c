import type { NextRequest } from 'next/server'
import { fetchGateway } from '@/lib/gateway.ts'
import { isStillSignedInMember, requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { Failure } from '@/lib/failure.ts'
import { respond } from '@/lib/problem-response.ts'
import { cutWhenOver } from '@/lib/cut-when-over.ts'
import { requireJson } from '@/lib/json-body.ts'
import { mayLeaveApi } from '@/lib/media-types.ts'
import { runtime } from '@/lib/runtime.ts'

/** What an MCP client sends that is meant for the MCP server. The user's cookies stay here. */
const isRequestHeader = (name: string) =>
  ['accept', 'content-type', 'last-event-id'].includes(name) || name.startsWith('mcp-')

const isResponseHeader = (name: string) =>
  ['content-type', 'retry-after', 'allow'].includes(name) || name.startsWith('mcp-')

const chosen = (headers: Headers, isWanted: (name: string) => boolean) =>
  new Headers([...headers].filter(([name]) => isWanted(name)))

/** A body that takes longer is one that somebody holds back, or a slow network. */
const PROMPT_MS = 1_000

/** The same body, whose end, and with it the call, comes only if it may. */
const endingIf = (body: ReadableStream<Uint8Array>, assertAllowed: () => Promise<void>) =>
  body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({ flush: assertAllowed }))

/**
 * The response, if it is JSON or an event stream, or has no body. A page or an image of a stranger would be one of this app's origin; of what
 * stands in its place an MCP client needs the status of an error.
 */
async function onlyData(response: Response): Promise<Response> {
  const type = response.headers.get('content-type')
  if (!response.body || mayLeaveApi(type)) return response
  const reader = response.body.getReader()
  const { done: isEmpty } = await reader.read()
  void reader.cancel().catch(() => undefined)
  if (isEmpty) return new Response(null, response)
  if (response.status < 400) {
    throw new Failure(
      'unexpected_response',
      'Notion’s response was neither JSON nor an event stream. Notion may have applied the call; check before retrying.',
    )
  }
  const problem = {
    type: 'about:blank',
    title: 'Notion refused the request',
    status: response.status,
    detail: `Notion responded with status ${response.status}. Its text is not shown.`,
    code: 'unexpected_response',
    requestId: `req_${crypto.randomUUID()}`,
  }
  const headers = new Headers(response.headers)
  headers.set('content-type', 'application/problem+json')
  return new Response(JSON.stringify(problem), { status: response.status, headers })
}

/** The MCP endpoint of a space for this app's own pages: the gateway's proxy, opened by the user's session. */
const forward = (request: NextRequest) =>
  respond(async () => {
    if (request.method !== 'GET') requireOwnOrigin(request.headers)
    if (request.method === 'POST') requireJson(request.headers)
    const startedAt = performance.now()
    const member = await requireMember(request.headers, request.nextUrl.searchParams.get('spaceId'))
    // Nobody prepares calls as a member to let them go afterwards.
    let failure: Failure | undefined
    const assertStillIn = async () => {
      if (performance.now() - startedAt < PROMPT_MS || (await isStillSignedInMember(request.headers, member.space.id)))
        return
      failure = new Failure('forbidden_space', 'You are no longer a member of this space. Nothing was called.')
      throw failure
    }
    const response = await fetchGateway(runtime(), member, '/mcp/notion/proxy', {
      method: request.method,
      headers: chosen(request.headers, isRequestHeader),
      signal: request.signal,
      ...(request.body ? { body: endingIf(request.body, assertStillIn), duplex: 'half' } : {}),
    }).catch((error: unknown) => {
      throw failure ?? error
    })
    const data = await onlyData(response)
    const headers = chosen(data.headers, isResponseHeader)
    // no-transform: compression on the way would hold events back.
    headers.set('cache-control', 'no-store, no-transform')
    // A stream may outlive the membership, or the session, that opened it.
    const body = data.body && cutWhenOver(data.body, () => isStillSignedInMember(request.headers, member.space.id))
    return new Response(body, { status: data.status, headers })
  })

export { forward as GET, forward as POST, forward as DELETE }
